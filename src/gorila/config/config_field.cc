#include "gorila/config/config_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "gorila/base/json.h"

namespace gorila {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./:@-").find(c) != std::string_view::npos;
}

// In TOML's double quotes.
std::string Quoted(std::string_view text) {
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// UTF-8 without control characters.
bool IsPrintable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) {
                        const auto byte = static_cast<unsigned char>(c);
                        return byte < 0x20 || byte == 0x7f;
                      }) &&
         IsJson(Quoted(text));
}

bool IsLayerSize(int value) { return value >= 1 && value <= kMaxUnits; }

bool IsUnlimited(std::int64_t high) { return high >= std::numeric_limits<int>::max(); }

std::string IntegerRange(const IntegerField& field) {
  // Nobody means 2147483647 by it: it is what the variable holds.
  if (field.high == std::numeric_limits<std::int64_t>::max()) {
    return fmt::format("an integer from {} to 2^63 - 1", field.low);
  }
  if (IsUnlimited(field.high)) return fmt::format("an integer, {} or more", field.low);
  return fmt::format("an integer from {} to {}", field.low, field.high);
}

std::string RealRangeText(const RealRange& range) {
  const bool unlimited = range.high == std::numeric_limits<double>::max();
  if (range.without_low && unlimited) return fmt::format("a number above {}", range.low);
  if (unlimited) return fmt::format("a number, {} or more", range.low);
  return fmt::format("a number from {}{} to {}{}", range.low,
                     range.without_low ? " (excluded)" : "", range.high,
                     range.without_high ? " (excluded)" : "");
}

// Shortest text that reads back as the same number, and as a TOML float.
std::string RealText(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// So many that nobody reads them all are cut short.
std::string ChoicesText(std::vector<std::string_view> choices) {
  constexpr std::size_t kMostShown = 24;
  if (choices.size() <= kMostShown) return fmt::format("one of {}", fmt::join(choices, ", "));
  const std::size_t more = choices.size() - kMostShown;
  choices.resize(kMostShown);
  return fmt::format("one of {} and {} more", fmt::join(choices, ", "), more);
}

std::string ConvolutionsText(const std::vector<ConvolutionSpec>& convolutions) {
  std::vector<std::string> rows;
  rows.reserve(convolutions.size());
  for (const ConvolutionSpec& spec : convolutions) {
    rows.push_back(fmt::format("[{}, {}, {}]", spec.filters, spec.kernel, spec.stride));
  }
  return fmt::format("[{}]", fmt::join(rows, ", "));
}

}  // namespace

bool IsAllowed(const IntegerField& field, std::int64_t value) {
  return value >= field.low && value <= field.high;
}

bool IsAllowed(const RealField& field, double value) {
  const RealRange& range = field.range;
  // NaN compares false, so it fails the first condition.
  return value >= range.low && value <= range.high && !(range.without_low && value == range.low) &&
         !(range.without_high && value == range.high);
}

bool IsAllowed(const NameField& field, std::string_view value) {
  if (field.choices == nullptr) {
    return !value.empty() && std::all_of(value.begin(), value.end(), &IsNameCharacter);
  }
  const std::vector<std::string_view> choices = field.choices();
  if (field.also != nullptr && field.also(value)) return IsPrintable(value);
  return std::find(choices.begin(), choices.end(), value) != choices.end();
}

bool IsAllowed(const TextField&, std::string_view value) {
  return !value.empty() && IsPrintable(value);
}

bool IsAllowed(const HiddenLayersField&, const std::vector<int>& value) {
  return value.size() <= kMaxLayers && std::all_of(value.begin(), value.end(), &IsLayerSize);
}

bool IsAllowed(const ConvolutionsField&, const std::vector<ConvolutionSpec>& value) {
  return value.size() <= kMaxLayers &&
         std::all_of(value.begin(), value.end(), [](const ConvolutionSpec& spec) {
           return IsLayerSize(spec.filters) && IsLayerSize(spec.kernel) && IsLayerSize(spec.stride);
         });
}

std::string AllowedText(const ConfigField& field) {
  return std::visit(
      Overloaded{
          [](const IntegerField& integer) { return IntegerRange(integer); },
          [](const RealField& real) { return RealRangeText(real.range); },
          [](const BooleanField&) { return std::string("true or false"); },
          [](const NameField& name) {
            if (name.choices == nullptr)
              return std::string("a name of letters, digits and _ . / : @ -");
            const std::string text = ChoicesText(name.choices());
            return name.also == nullptr ? text : fmt::format("{}, or {}", text, name.also_text);
          },
          [](const TextField& field) { return std::string(field.allowed); },
          [](const HiddenLayersField&) {
            return fmt::format("a list of up to {} integers from 1 to {}", kMaxLayers, kMaxUnits);
          },
          [](const ConvolutionsField&) {
            return fmt::format("a list of up to {} [filters, kernel, stride], each from 1 to {}",
                               kMaxLayers, kMaxUnits);
          }},
      field);
}

std::string ValueText(const ConfigField& field, const Config& config) {
  return std::visit(
      Overloaded{
          [&](const IntegerField& integer) { return fmt::format("{}", integer.get(config)); },
          [&](const RealField& real) { return RealText(real.get(config)); },
          [&](const BooleanField& boolean) { return fmt::format("{}", boolean.get(config)); },
          [&](const NameField& name) { return Quoted(name.get(config)); },
          [&](const TextField& field) { return Quoted(field.get(config)); },
          [&](const HiddenLayersField& hidden) {
            return fmt::format("[{}]", fmt::join(hidden.get(config), ", "));
          },
          [&](const ConvolutionsField& convolutions) {
            return ConvolutionsText(convolutions.get(config));
          }},
      field);
}

}  // namespace gorila
