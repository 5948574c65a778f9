#include "gorila/base/whole_number.h"

#include <algorithm>
#include <utility>

namespace gorila {
namespace {

constexpr int kMostExponent = 100;  // more than any integer type holds

std::optional<int> UnitExponent(std::string_view text) {
  if (text.empty()) return std::nullopt;
  switch (text.back()) {
    case 'k':
    case 'K':
      return 3;
    case 'M':
      return 6;
    case 'G':
      return 9;
    default:
      return std::nullopt;
  }
}

// Takes the unit or the exponent off the end of `text`; nothing where it has both or a bad one.
std::optional<int> TakeExponent(std::string_view& text) {
  if (const std::optional<int> unit = UnitExponent(text)) {
    text.remove_suffix(1);
    return text.find_first_of("eE") == std::string_view::npos ? unit : std::nullopt;
  }
  const std::size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos) return 0;
  std::string_view after = text.substr(e + 1);
  text = text.substr(0, e);
  if (after.starts_with("+") && !after.starts_with("+-")) after.remove_prefix(1);
  int exponent = 0;
  const char* const end = after.data() + after.size();
  const auto [read, error] = std::from_chars(after.data(), end, exponent);
  if (error != std::errc() || read != end) return std::nullopt;
  if (exponent < -kMostExponent || exponent > kMostExponent) return std::nullopt;
  return exponent;
}

// Moves the decimal point of `digits` to the right; false where a digit other than 0 stays behind
// it.
bool Shift(std::string& digits, int places) {
  for (; places < 0; ++places) {
    if (digits.empty()) return true;  // only zeros so far
    if (digits.back() != '0') return false;
    digits.pop_back();
  }
  digits.append(static_cast<std::size_t>(places), '0');
  return true;
}

}  // namespace

bool HasUnit(std::string_view text) { return UnitExponent(text).has_value(); }

std::optional<std::string> PlainDigits(std::string_view text) {
  const bool negative = text.starts_with("-");
  if (negative || text.starts_with("+")) text.remove_prefix(1);
  const std::optional<int> exponent = TakeExponent(text);
  if (!exponent) return std::nullopt;
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  if (fraction.size() > kMostExponent) return std::nullopt;
  std::string digits = std::string(text.substr(0, point)).append(fraction);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  if (!Shift(digits, *exponent - static_cast<int>(fraction.size()))) return std::nullopt;
  digits.erase(0, digits.find_first_not_of('0'));  // all of it where there is nothing else
  if (digits.empty()) return "0";
  return negative ? "-" + digits : digits;
}

}  // namespace gorila
