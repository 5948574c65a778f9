#include "gorila/metrics/learning_curve_painter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "gorila/metrics/chart_axis.h"
#include "gorila/metrics/curve_shapes.h"
#include "gorila/metrics/legend.h"

namespace gorila::drawing {
namespace {

constexpr double kBandOpacity = 0.18;
constexpr Colour kGround = {kGroundInk};
constexpr Colour kBehindText = {kGroundInk, 0.8};
constexpr Stroke kGrid = {.colour = {kGridInk}, .width = 1};
constexpr Stroke kAxis = {.colour = {kQuietInk}, .width = 1};
constexpr Stroke kReference = {.colour = {kQuietInk}, .width = 1.25, .dashed = true};
constexpr double kCurveWidth = 2;
constexpr double kDotRadius = 3.5;
constexpr double kLeastDotRadius = 1.5;
constexpr double kThinning = 0.5;  // pixels; one of the PNG's

constexpr TextStyle kTitle = {.size = 15, .bold = true, .anchor = 0.5};
constexpr TextStyle kXLabel = {.size = 12.5, .anchor = 0.5};
constexpr TextStyle kYLabel = {.size = 12.5, .anchor = 0.5, .upwards = true};
constexpr TextStyle kXTick = {.size = 11.5, .anchor = 0.5};
constexpr TextStyle kYTick = {.size = 11.5, .anchor = 1};
constexpr TextStyle kReferenceText = {.size = 11.5, .colour = {kQuietInk}};
constexpr TextStyle kNoData = {.size = 13, .colour = {kQuietInk}, .anchor = 0.5};
// Narrow figures have title and quantity above the plot, one below the other.
constexpr TextStyle kNarrowTitle = {.size = 13.5, .bold = true};
constexpr TextStyle kNarrowYLabel = {.size = 11.5, .colour = {kQuietInk}};

constexpr double kReferenceHeight = 16;

struct ReferenceLabel {
  std::string text;
  Box box;
};

// Onto the PNG's pixels, so that thin lines are crisp.
double Snapped(double position) {
  return std::round(position * kLearningCurvePngScale) / kLearningCurvePngScale;
}

// Draws one figure. Lays it out first, then paints from back to front.
class Painter {
 public:
  Painter(Canvas& canvas, const LearningCurveFigure& figure)
      : canvas_(canvas), figure_(figure), data_(RangesOf(figure)) {}

  void Paint() {
    LayOut();
    canvas_.FillBox({0, 0, Width(), Height()}, kGround);
    PaintGrid();
    for (std::size_t i = 0; i < figure_.series.size(); ++i) PaintBands(i);
    PaintReferenceLines();
    for (std::size_t i = 0; i < figure_.series.size(); ++i) PaintCurve(i);
    PaintReferenceLabels();
    PaintAxes();
    PaintLegend();
    PaintTitles();
  }

 private:
  bool IsNarrow() const { return figure_.width < kNarrowFigure; }
  double Margin() const { return IsNarrow() ? 8 : 14; }  // between the edge and the contents
  double Width() const { return figure_.width; }
  double Height() const { return figure_.height; }
  double X(double value) const { return plot_.left + x_.Position(value, plot_.width); }
  double Y(double value) const { return plot_.bottom() - y_.Position(value, plot_.height); }
  Point Mean(const CurvePoint& point) const { return {X(point.x), Y(point.mean)}; }
  Occupancy::Upright Band(const CurvePoint& point) const {
    return {X(point.x), Y(point.low), Y(point.high)};
  }

  void LayOut();
  void LayOutPlot(double legend_height);
  Legend MakeLegend(std::span<const ReferenceLine> references) const;
  bool PlaceLegendInside(const Occupancy& occupied);
  Occupancy Occupied() const;
  void OccupyDot(const CurvePoint& point, Occupancy& occupied) const;
  std::vector<ReferenceLine> LabelReferences(std::span<const ReferenceLine> lines,
                                             Occupancy& occupied);
  std::vector<Box> ReferenceCandidates(double y, double width) const;
  std::vector<Box> LegendCandidates() const;

  void PaintGrid();
  void PaintBands(std::size_t series);
  void PaintCurve(std::size_t series);
  void PaintDots(std::span<const CurvePoint> points, const Stroke& stroke);
  void PaintDot(const CurvePoint& point, const Stroke& stroke, double radius);
  void PaintReferenceLines();
  void PaintReferenceLabels();
  void PaintAxes();
  void PaintLegend();
  void PaintTitles();

  Canvas& canvas_;
  const LearningCurveFigure& figure_;
  const DataRanges data_;

  Box plot_;
  ChartAxis x_;
  ChartAxis y_;
  std::vector<AxisTick> x_ticks_;
  std::vector<AxisTick> y_ticks_;
  std::vector<ReferenceLabel> reference_labels_;
  Legend legend_;
  std::optional<Point> legend_inside_;  // its corner; nullopt = below the plot
};

void Painter::LayOut() {
  LayOutPlot(/*legend_height=*/0);
  Occupancy occupied = Occupied();
  legend_ = MakeLegend(LabelReferences(figure_.reference_lines, occupied));
  if (legend_.empty() || PlaceLegendInside(occupied)) return;
  // No room inside: all labels in rows below the plot.
  reference_labels_.clear();
  legend_ = MakeLegend(figure_.reference_lines);
  const int most_rows = static_cast<int>(Height() / 3 / Legend::kRowHeight);
  legend_.LayOutAsRows(canvas_, Width() - 2 * Margin(), most_rows);
  LayOutPlot(legend_.height());
}

void Painter::LayOutPlot(double legend_height) {
  const bool label_above = IsNarrow() && !figure_.y_label.empty();
  plot_.top = Margin() +
              (figure_.title.empty() ? 0
               : IsNarrow()          ? 22
                                     : 28) +
              (label_above ? 20 : 0);
  const double below = 24 + (figure_.x_label.empty() ? 0 : 22) + legend_height;
  plot_.height = Height() - plot_.top - below - Margin() / 2;
  y_ = {.range = FitRange(data_.y, kRangePadding)};
  if (data_.y.has_value()) y_ticks_ = MakeAxisTicks(y_, MostTicksUp(plot_.height));
  double tick_width = 0;
  for (const AxisTick& tick : y_ticks_) {
    tick_width = std::max(tick_width, canvas_.TextWidth(tick.label, kYTick));
  }
  plot_.left =
      std::ceil(Margin() + tick_width) + 8 + (figure_.y_label.empty() || IsNarrow() ? 0 : 24);
  plot_.width = Width() - plot_.left - Margin() - 8;
  x_ = {.range = FitRange(data_.x, /*padding=*/0), .unit = figure_.x_unit};
  if (data_.x.has_value()) x_ticks_ = MakeAxisTicks(x_, MostTicksAcross(plot_.width));
}

// The series, and those reference lines that have no label of their own.
Legend Painter::MakeLegend(std::span<const ReferenceLine> references) const {
  Legend legend;
  for (std::size_t i = 0; i < figure_.series.size(); ++i) {
    const std::string& label = figure_.series[i].label;
    if (!label.empty()) legend.Add(label, SeriesStroke(i), figure_.series[i].dots);
  }
  for (const ReferenceLine& line : references) {
    if (Usable(line.y) && !line.label.empty()) legend.Add(line.label, kReference);
  }
  return legend;
}

bool Painter::PlaceLegendInside(const Occupancy& occupied) {
  legend_.LayOutAsColumn(canvas_, 0.5 * plot_.width);
  if (legend_.is_cut()) return false;
  const Box best = occupied.LeastCovering(LegendCandidates());
  const bool fits = best.height < plot_.height && occupied.CoveredBy(best) == 0;
  if (fits) legend_inside_ = Point{best.left, best.top};
  return fits;
}

// The parts that labels must not cover: lines, bands and reference lines.
Occupancy Painter::Occupied() const {
  Occupancy occupied;
  for (const CurveSeries& series : figure_.series) {
    if (series.dots) {
      for (const CurvePoint& point : series.points) OccupyDot(point, occupied);
      continue;
    }
    for (const auto stretch : Stretches(series.points, HasMean)) {
      for (std::size_t i = 0; i < stretch.size(); ++i) {
        occupied.AddLine(Mean(stretch[i == 0 ? 0 : i - 1]), Mean(stretch[i]));
      }
    }
    for (const auto stretch : Stretches(series.points, HasBand)) {
      for (std::size_t i = 0; i < stretch.size(); ++i) {
        occupied.AddArea(Band(stretch[i == 0 ? 0 : i - 1]), Band(stretch[i]));
      }
    }
  }
  for (const ReferenceLine& line : figure_.reference_lines) {
    if (Usable(line.y)) occupied.AddLine({plot_.left, Y(line.y)}, {plot_.right(), Y(line.y)});
  }
  return occupied;
}

void Painter::OccupyDot(const CurvePoint& point, Occupancy& occupied) const {
  if (!HasMean(point)) return;
  const auto [x, y] = Mean(point);
  occupied.AddBox({x - kDotRadius, y - kDotRadius, 2 * kDotRadius, 2 * kDotRadius});
  if (HasBand(point)) occupied.AddLine({x, Y(point.low)}, {x, Y(point.high)});
}

// Writes labels on their lines where they cover nothing, and adds them to `occupied`. Returns the
// lines where that is not possible.
std::vector<ReferenceLine> Painter::LabelReferences(std::span<const ReferenceLine> lines,
                                                    Occupancy& occupied) {
  std::vector<ReferenceLine> unlabelled;
  for (const ReferenceLine& line : lines) {
    if (!Usable(line.y) || line.label.empty()) continue;
    const double width = canvas_.TextWidth(line.label, kReferenceText) + 4;
    const std::vector<Box> candidates = ReferenceCandidates(Y(line.y), width);
    const Box best = candidates.empty() ? plot_ : occupied.LeastCovering(candidates);
    if (occupied.CoveredBy(best) > 0) {
      unlabelled.push_back(line);
      continue;
    }
    reference_labels_.push_back({line.label, best});
    occupied.AddBox(best);
  }
  return unlabelled;
}

// Above or below the line, at its end, its beginning or its middle; only what fits into the plot.
std::vector<Box> Painter::ReferenceCandidates(double y, double width) const {
  std::vector<Box> candidates;
  if (width + 8 > plot_.width) return candidates;
  for (const double top : {y - kReferenceHeight - 1, y + 2}) {
    if (top < plot_.top || top + kReferenceHeight > plot_.bottom()) continue;
    for (const double place : {1.0, 0.0, 0.5}) {
      const double left = plot_.left + 4 + place * (plot_.width - width - 8);
      candidates.push_back({left, top, width, kReferenceHeight - 1});
    }
  }
  return candidates;
}

// Corners first; upper left and lower right are where learning curves are not.
std::vector<Box> Painter::LegendCandidates() const {
  constexpr double kGap = 6;
  constexpr std::array<Point, 9> kPlaces = {
      {{0, 0}, {1, 1}, {1, 0}, {0, 1}, {0.5, 0}, {0.5, 1}, {1, 0.5}, {0, 0.5}, {0.5, 0.5}}};
  std::vector<Box> candidates;
  for (const Point& place : kPlaces) {
    const double free_x = plot_.width - legend_.width() - 2 * kGap;
    const double free_y = plot_.height - legend_.height() - 2 * kGap;
    candidates.push_back({plot_.left + kGap + place.x * free_x, plot_.top + kGap + place.y * free_y,
                          legend_.width(), legend_.height()});
  }
  return candidates;
}

void Painter::PaintGrid() {
  for (const AxisTick& tick : x_ticks_) {
    const double x = Snapped(X(tick.value));
    canvas_.DrawLine(std::array<Point, 2>{{{x, plot_.top}, {x, plot_.bottom()}}}, kGrid);
  }
  for (const AxisTick& tick : y_ticks_) {
    const double y = Snapped(Y(tick.value));
    canvas_.DrawLine(std::array<Point, 2>{{{plot_.left, y}, {plot_.right(), y}}}, kGrid);
  }
}

void Painter::PaintBands(std::size_t series) {
  if (figure_.series[series].dots) return;
  const Colour colour = {SeriesStroke(series).colour.ink, kBandOpacity};
  for (const auto stretch : Stretches(figure_.series[series].points, HasBand)) {
    std::vector<Point> outline;
    for (const CurvePoint& point : stretch) outline.push_back({X(point.x), Y(point.high)});
    for (std::size_t i = stretch.size(); i-- > 0;) {
      outline.push_back({X(stretch[i].x), Y(stretch[i].low)});
    }
    canvas_.FillPolygon(outline, colour);
  }
}

void Painter::PaintCurve(std::size_t series) {
  const Stroke stroke = SeriesStroke(series);
  if (figure_.series[series].dots) return PaintDots(figure_.series[series].points, stroke);
  for (const auto stretch : Stretches(figure_.series[series].points, HasMean)) {
    if (stretch.size() == 1) {
      PaintDot(stretch[0], stroke, kDotRadius);
      continue;
    }
    std::vector<Point> line;
    for (const CurvePoint& point : stretch) line.push_back(Mean(point));
    canvas_.DrawLine(ThinnedLine(line, kThinning), stroke);
  }
}

// As large as they can be without touching each other; of too many, evenly chosen ones and the
// last.
void Painter::PaintDots(std::span<const CurvePoint> points, const Stroke& stroke) {
  if (points.empty()) return;
  const auto most = static_cast<std::size_t>(plot_.width / (2 * kLeastDotRadius));
  const std::size_t step = (points.size() + most - 1) / most;
  const double space = plot_.width * static_cast<double>(step) / static_cast<double>(points.size());
  const double radius = std::clamp(space / 2 - 0.5, kLeastDotRadius, kDotRadius);
  for (std::size_t i = (points.size() - 1) % step; i < points.size(); i += step) {
    if (HasMean(points[i])) PaintDot(points[i], stroke, radius);
  }
}

// A dot, and the band as an error bar, with ends where there is room for them.
void Painter::PaintDot(const CurvePoint& point, const Stroke& stroke, double radius) {
  canvas_.FillCircle(Mean(point), radius, stroke.colour);
  if (!HasBand(point)) return;
  const Stroke bar = {.colour = stroke.colour, .width = radius < kDotRadius ? 1.0 : 1.25};
  const double x = X(point.x), low = Y(point.low), high = Y(point.high);
  canvas_.DrawLine(std::array<Point, 2>{{{x, low}, {x, high}}}, bar);
  if (radius < kDotRadius) return;
  for (const double y : {low, high}) {
    canvas_.DrawLine(std::array<Point, 2>{{{x - 4, y}, {x + 4, y}}}, bar);
  }
}

void Painter::PaintReferenceLines() {
  for (const ReferenceLine& line : figure_.reference_lines) {
    if (!Usable(line.y)) continue;
    const double y = Y(line.y);
    canvas_.DrawLine(std::array<Point, 2>{{{plot_.left, y}, {plot_.right(), y}}}, kReference);
  }
}

void Painter::PaintReferenceLabels() {
  for (const ReferenceLabel& label : reference_labels_) {
    canvas_.FillBox(label.box, kBehindText);
    canvas_.DrawText(label.text, {label.box.left + 2, label.box.bottom() - 3}, kReferenceText);
  }
}

void Painter::PaintAxes() {
  const std::array<Point, 3> axes = {
      {{plot_.left, plot_.top}, {plot_.left, plot_.bottom()}, {plot_.right(), plot_.bottom()}}};
  canvas_.DrawLine(axes, kAxis);
  for (const AxisTick& tick : x_ticks_) {
    const double x = Snapped(X(tick.value)), y = plot_.bottom();
    canvas_.DrawLine(std::array<Point, 2>{{{x, y}, {x, y + 4}}}, kAxis);
    canvas_.DrawText(tick.label, {x, y + 17}, kXTick);
  }
  for (const AxisTick& tick : y_ticks_) {
    const double x = plot_.left, y = Snapped(Y(tick.value));
    canvas_.DrawLine(std::array<Point, 2>{{{x - 4, y}, {x, y}}}, kAxis);
    canvas_.DrawText(tick.label, {x - 8, y + 4}, kYTick);
  }
}

void Painter::PaintLegend() {
  if (legend_inside_.has_value()) {
    legend_.PaintFramed(canvas_, *legend_inside_);
  } else {
    legend_.Paint(canvas_, {Margin(), Height() - legend_.height() - Margin() / 2});
  }
}

void Painter::PaintTitles() {
  const double middle_x = plot_.left + plot_.width / 2, middle_y = plot_.top + plot_.height / 2;
  const double most = Width() - 2 * Margin();
  if (IsNarrow()) {
    canvas_.DrawText(canvas_.Ellipsise(figure_.title, kNarrowTitle, most),
                     {Margin(), Margin() + 12}, kNarrowTitle);
    canvas_.DrawText(canvas_.Ellipsise(figure_.y_label, kNarrowYLabel, most),
                     {Margin(), plot_.top - 10}, kNarrowYLabel);
  } else {
    canvas_.DrawText(canvas_.Ellipsise(figure_.title, kTitle, most), {Width() / 2, Margin() + 13},
                     kTitle);
    canvas_.DrawText(canvas_.Ellipsise(figure_.y_label, kYLabel, plot_.height),
                     {Margin() + 10, middle_y}, kYLabel);
  }
  canvas_.DrawText(canvas_.Ellipsise(figure_.x_label, kXLabel, plot_.width),
                   {middle_x, plot_.bottom() + 38}, kXLabel);
  if (!data_.x.has_value()) {
    canvas_.DrawText("no data", {middle_x, plot_.top + plot_.height / 4}, kNoData);
  }
}

}  // namespace

void PaintLearningCurve(Canvas& canvas, const LearningCurveFigure& figure) {
  Painter(canvas, figure).Paint();
}

Stroke SeriesStroke(std::size_t series) {
  return {.colour = {kSeriesInks[series % kSeriesInks.size()]},
          .width = kCurveWidth,
          .dashed = series / kSeriesInks.size() % 2 == 1};
}

}  // namespace gorila::drawing
