// Whole numbers as people type them: 1000000, 1e6, 2.5e6, 250k, 1M.
#ifndef GORILA_BASE_WHOLE_NUMBER_H_
#define GORILA_BASE_WHOLE_NUMBER_H_

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace gorila {

// Whether `text` ends in one of the units: k or K for 10^3, M for 10^6, G for 10^9.
bool HasUnit(std::string_view text);

// `text` in plain decimal digits, exactly: "2.5e6" and "2500k" give "2500000". Nothing for what is
// not a decimal number, not whole, or has an exponent and a unit.
std::optional<std::string> PlainDigits(std::string_view text);

// The same as a number; nothing where it does not fit.
template <typename Integer>
std::optional<Integer> ParseWholeNumber(std::string_view text) {
  const std::optional<std::string> digits = PlainDigits(text);
  if (!digits) return std::nullopt;
  Integer value = 0;
  const char* const end = digits->data() + digits->size();
  const auto [read, error] = std::from_chars(digits->data(), end, value);
  return error == std::errc() && read == end ? std::optional(value) : std::nullopt;
}

}  // namespace gorila

#endif  // GORILA_BASE_WHOLE_NUMBER_H_
