#include "gorila/metrics/curve_shapes.h"

#include <algorithm>
#include <cmath>

namespace gorila::drawing {
namespace {

void Include(std::optional<AxisRange>& range, double value) {
  if (!range.has_value()) range = AxisRange{value, value};
  range->low = std::min(range->low, value);
  range->high = std::max(range->high, value);
}

}  // namespace

bool Usable(double value) { return std::abs(value) <= 1e100; }
bool HasMean(const CurvePoint& point) { return Usable(point.x) && Usable(point.mean); }
bool HasBand(const CurvePoint& point) {
  return Usable(point.x) && Usable(point.low) && Usable(point.high);
}

DataRanges RangesOf(const LearningCurveFigure& figure) {
  DataRanges ranges;
  for (const CurveSeries& series : figure.series) {
    for (const CurvePoint& point : series.points) {
      if (HasMean(point) || HasBand(point)) Include(ranges.x, point.x);
      if (HasMean(point)) Include(ranges.y, point.mean);
      if (!HasBand(point)) continue;
      Include(ranges.y, point.low);
      Include(ranges.y, point.high);
    }
  }
  for (const ReferenceLine& line : figure.reference_lines) {
    if (Usable(line.y)) Include(ranges.y, line.y);
  }
  return ranges;
}

std::vector<std::span<const CurvePoint>> Stretches(std::span<const CurvePoint> points,
                                                   bool (*usable)(const CurvePoint&)) {
  std::vector<std::span<const CurvePoint>> stretches;
  for (std::size_t begin = 0; begin < points.size(); ++begin) {
    if (!usable(points[begin])) continue;
    std::size_t end = begin + 1;
    while (end < points.size() && usable(points[end])) ++end;
    stretches.push_back(points.subspan(begin, end - begin));
    begin = end;
  }
  return stretches;
}

std::vector<Point> ThinnedLine(std::span<const Point> line, double step) {
  std::vector<Point> thinned;
  for (std::size_t begin = 0; begin < line.size();) {
    const double column = std::floor(line[begin].x / step);
    std::size_t end = begin, low = begin, high = begin;
    for (; end < line.size() && std::floor(line[end].x / step) == column; ++end) {
      if (line[end].y < line[low].y) low = end;
      if (line[end].y > line[high].y) high = end;
    }
    std::size_t before = line.size();
    for (const std::size_t i : {begin, std::min(low, high), std::max(low, high), end - 1}) {
      if (i != before) thinned.push_back(line[i]);
      before = i;
    }
    begin = end;
  }
  return thinned;
}

}  // namespace gorila::drawing
