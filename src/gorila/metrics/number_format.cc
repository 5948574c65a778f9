#include "gorila/metrics/number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gorila {
namespace {

// `value` >= 0. Limits are half a digit below the power of ten, where rounding would gain a digit.
std::string FormatScaled(double value) {
  constexpr std::array<const char*, 7> kUnits = {"", "k", "M", "G", "T", "P", "E"};
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, decimals, kUnits[unit]);
}

}  // namespace

std::string FormatCount(std::uint64_t count) {
  return count < 1000 ? fmt::format("{}", count) : FormatScaled(static_cast<double>(count));
}

std::string FormatRate(double rate) {
  return std::isfinite(rate) && rate >= 0 ? FormatScaled(rate) : "-";
}

std::string FormatDuration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  constexpr double kLongest = 1e15;  // keeps the conversion to an integer defined
  const auto total = static_cast<std::uint64_t>(std::round(std::clamp(seconds, 0.0, kLongest)));
  constexpr std::uint64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  if (total < kMinute) return fmt::format("{}s", total);
  if (total < kHour) return fmt::format("{}m {:02}s", total / kMinute, total % kMinute);
  if (total < kDay) return fmt::format("{}h {:02}m", total / kHour, total % kHour / kMinute);
  return fmt::format("{}d {:02}h", total / kDay, total % kDay / kHour);
}

std::string FormatDecimal(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-";
}

std::string FormatReturn(double episode_return) {
  const double size = std::abs(episode_return);
  return FormatDecimal(episode_return, size < 99.995 ? 2 : size < 999.95 ? 1 : 0);
}

}  // namespace gorila
