// A curve as one line of text.
#ifndef GORILA_METRICS_SPARKLINE_H_
#define GORILA_METRICS_SPARKLINE_H_

#include <span>
#include <string>
#include <vector>

#include "gorila/metrics/curve_aggregation.h"

namespace gorila {

// The curve from x = 0 to `end` in `columns` values: the mean of the points in each part, the value
// before where a part has none, and NaN before the first point. Points beyond `end` are those of
// its last part.
std::vector<double> Resampled(std::span<const CurveSample> points, double end, int columns);

// One character a value, the lowest and the highest at the ends of eight heights; a space for NaN.
// Block elements, or ASCII without `utf8`.
std::string Sparkline(std::span<const double> values, bool utf8);

}  // namespace gorila

#endif  // GORILA_METRICS_SPARKLINE_H_
