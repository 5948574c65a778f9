// The data of a figure as its painter needs them: ranges, unbroken stretches. Internal to metrics.
// Pure.
#ifndef GORILA_METRICS_CURVE_SHAPES_H_
#define GORILA_METRICS_CURVE_SHAPES_H_

#include <optional>
#include <span>
#include <vector>

#include "gorila/metrics/chart_axis.h"
#include "gorila/metrics/label_placement.h"
#include "gorila/metrics/learning_curve.h"

namespace gorila::drawing {

struct DataRanges {
  std::optional<AxisRange> x;  // nullopt: nothing usable
  std::optional<AxisRange> y;
};

// Far below the largest double, so that arithmetic on the axes cannot overflow.
bool Usable(double value);
bool HasMean(const CurvePoint& point);
bool HasBand(const CurvePoint& point);

DataRanges RangesOf(const LearningCurveFigure& figure);

// The stretches of `points` that are usable throughout.
std::vector<std::span<const CurvePoint>> Stretches(std::span<const CurvePoint> points,
                                                   bool (*usable)(const CurvePoint&));

// A line (x ascending) that looks the same with fewer points: of those in one column of `step`
// pixels the first, the lowest, the highest and the last.
std::vector<Point> ThinnedLine(std::span<const Point> line, double step);

}  // namespace gorila::drawing

#endif  // GORILA_METRICS_CURVE_SHAPES_H_
