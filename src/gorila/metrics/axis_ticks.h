// Round positions and short labels for the axes of a figure. Pure functions.
#ifndef GORILA_METRICS_AXIS_TICKS_H_
#define GORILA_METRICS_AXIS_TICKS_H_

#include <string>
#include <vector>

namespace gorila {

struct AxisTick {
  double value;
  std::string label;  // UTF-8
};

// The multiples within [low, high] of the smallest step of 1, 2 or 5 times a power of ten that
// needs at most `most` ticks; `low` < `high` finite, `most` >= 2.
std::vector<AxisTick> MakeAxisTicks(double low, double high, int most);

// "200k", "1.5M", "0.25", with as many decimals as multiples of `step` need and a true minus sign;
// 1e+12 and more, and steps below 1e-4, in scientific notation.
std::string FormatTick(double value, double step);

}  // namespace gorila

#endif  // GORILA_METRICS_AXIS_TICKS_H_
