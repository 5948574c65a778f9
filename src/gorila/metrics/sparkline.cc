#include "gorila/metrics/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>

namespace gorila {
namespace {

using Heights = std::array<std::string_view, 8>;
constexpr Heights kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr Heights kAscii = {"_", ".", ":", "-", "=", "+", "*", "#"};

}  // namespace

std::vector<double> Resampled(std::span<const CurveSample> points, double end, int columns) {
  const auto parts = static_cast<std::size_t>(std::max(0, columns));
  std::vector<double> sums(parts);
  std::vector<int> counts(parts);
  for (const CurveSample& point : points) {
    if (parts == 0 || !std::isfinite(point.y) || !(end > 0)) continue;
    const double part = std::clamp(point.x / end, 0.0, 1.0) * static_cast<double>(parts);
    const std::size_t i = std::min(static_cast<std::size_t>(part), parts - 1);
    sums[i] += point.y;
    ++counts[i];
  }
  std::vector<double> values(parts);
  double before = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < parts; ++i) {
    if (counts[i] > 0) before = sums[i] / counts[i];
    values[i] = before;
  }
  return values;
}

std::string Sparkline(std::span<const double> values, bool utf8) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : values) {
    low = std::fmin(low, value);
    high = std::fmax(high, value);
  }
  const Heights& heights = utf8 ? kBlocks : kAscii;
  std::string line;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      line += ' ';
      continue;
    }
    const double part = high > low ? (value - low) / (high - low) : 0;
    line += heights[static_cast<std::size_t>(std::lround(part * (heights.size() - 1)))];
  }
  return line;
}

}  // namespace gorila
