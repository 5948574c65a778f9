#include "gorila/cli/number_flag.h"

#include <fmt/format.h>

#include "gorila/base/whole_number.h"

namespace gorila::cli {
namespace {

std::string Allowed(const NumberRange& range) {
  const bool unlimited = range.high == std::numeric_limits<std::uint64_t>::max();
  std::string text = range.high == std::numeric_limits<int>::max()
                         ? fmt::format("a whole number, {} or more", range.low)
                         : fmt::format("a whole number from {} to {}", range.low,
                                       unlimited ? "2^64 - 1" : std::to_string(range.high));
  if (range.high < 1000) return text;
  return text + (range.units ? ", such as 1000, 1e3 or 1k" : ", such as 1000 or 1e3");
}

}  // namespace

CLI::Validator WholeNumber(NumberRange range) {
  // Rewritten, because CLI11 reads 010 as 8 and turns anything larger than 2^64 - 1 into it.
  const auto rewrite = [range](std::string& text) -> std::string {
    const auto number = ParseWholeNumber<std::uint64_t>(text);
    const bool fits = number && *number >= range.low && *number <= range.high;
    if (!fits || (HasUnit(text) && !range.units)) {
      return fmt::format("'{}'; expected {}", text, Allowed(range));
    }
    text = std::to_string(*number);
    return {};
  };
  return {rewrite, ""};
}

}  // namespace gorila::cli
