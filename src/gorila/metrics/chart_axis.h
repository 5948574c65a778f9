// The axes of every chart: which range they show, where their ticks are and what these say. Curves
// (learning_curve.h) and the chart of scores are drawn by these rules. The dashboard's page has
// them in JavaScript (dashboard/page/axes.js), so that zooming needs no server; chart_cases.json is
// the table that the tests of both languages read. Pure functions.
#ifndef GORILA_METRICS_CHART_AXIS_H_
#define GORILA_METRICS_CHART_AXIS_H_

#include <optional>
#include <string>
#include <vector>

namespace gorila {

enum class AxisScale { kLinear, kLogarithmic };

// What an axis counts: ticks of times are round in seconds, minutes, hours or days.
enum class AxisUnit { kNumber, kSeconds };

struct AxisRange {
  double low = 0;
  double high = 1;
};

// What an axis of values shows beyond the data, as a part of their range.
inline constexpr double kRangePadding = 0.06;

// A range for an axis that shows `data` (nullopt: nothing is known of them); never empty.
// Linear: from zero when the data begin near it, elsewhere with `padding` of its length at both
// ends. Logarithmic: data above zero, with `padding` of their decades at both ends; of more than
// twelve decades the highest twelve.
AxisRange FitRange(const std::optional<AxisRange>& data, double padding,
                   AxisScale scale = AxisScale::kLinear);

struct ChartAxis {
  AxisRange range = {};  // low < high, both finite; of a logarithm above zero
  AxisScale scale = AxisScale::kLinear;
  AxisUnit unit = AxisUnit::kNumber;

  // How far `value` is from the beginning of an axis that is `length` long.
  double Position(double value, double length) const;
};

struct AxisTick {
  double value;
  std::string label;  // UTF-8
};

// How many ticks an axis of so many pixels has room for; at least two.
int MostTicksAcross(double width);
int MostTicksUp(double height);

// At most `most` (>= 2) ticks. On a linear axis the multiples of the smallest round step that needs
// no more: 1, 2 or 5 times a power of ten, of times also 15 and 30 seconds or minutes and 3, 6 and
// 12 hours. Where that step has a single tick, those of the step before it, five at most. On a
// logarithmic axis 1, 2 and 5 times the powers of ten, the powers alone or every nth of them (of
// times 1 s, 10 s, 1 m, 10 m, 1 h, 10 h, 1 d in their place); half as many multiples of a step
// where it shows less than a power of ten.
std::vector<AxisTick> MakeAxisTicks(const ChartAxis& axis, int most);

// "200k", "1.5M", "0.25", with as many decimals as multiples of `step` need and a true minus sign;
// 1e+12 and more, and steps below 1e-4, in scientific notation.
std::string FormatTick(double value, double step);

// The units that are not zero: "30s", "1m 30s", "2h", "1d 12h"; "0".
std::string FormatTimeTick(double seconds, double step);

}  // namespace gorila

#endif  // GORILA_METRICS_CHART_AXIS_H_
