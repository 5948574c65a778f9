#include "gorila/metrics/learning_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "gorila/base/file.h"
#include "gorila/base/xml.h"
#include "gorila/metrics/axis_ticks.h"
#include "gorila/metrics/canvas.h"
#include "gorila/metrics/learning_curve_painter.h"
#include "gorila/metrics/legend.h"

namespace gorila {
namespace {

using drawing::Box;
using drawing::Canvas;
using drawing::Colour;
using drawing::Legend;
using drawing::Occupancy;
using drawing::Point;
using drawing::SeriesStroke;
using drawing::Stroke;
using drawing::TextStyle;

// Okabe & Ito's palette, told apart by colour-blind people too; yellow, faint on white, is left
// out.
constexpr std::array<std::uint32_t, 7> kSeriesColours = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7,
                                                         0xe69f00, 0x56b4e9, 0x000000};
constexpr double kBandOpacity = 0.18;
constexpr Colour kWhite = {0xffffff};
constexpr Colour kBehindText = {0xffffff, 0.8};
constexpr Colour kTextColour = {0x262626};
constexpr Stroke kGrid = {.colour = {0xe6e6e6}, .width = 1};
constexpr Stroke kAxis = {.colour = {0x595959}, .width = 1};
constexpr Stroke kReference = {.colour = {0x595959}, .width = 1.25, .dashed = true};
constexpr double kCurveWidth = 2;
constexpr double kDotRadius = 3.5;

constexpr TextStyle kTitle = {.size = 15, .colour = kTextColour, .bold = true, .anchor = 0.5};
constexpr TextStyle kXLabel = {.size = 12.5, .colour = kTextColour, .anchor = 0.5};
constexpr TextStyle kYLabel = {.size = 12.5, .colour = kTextColour, .anchor = 0.5, .upwards = true};
constexpr TextStyle kXTick = {.size = 11, .colour = kTextColour, .anchor = 0.5};
constexpr TextStyle kYTick = {.size = 11, .colour = kTextColour, .anchor = 1};
constexpr TextStyle kReferenceText = {.size = 10.5, .colour = {0x404040}};
constexpr TextStyle kNoData = {.size = 13, .colour = {0x808080}, .anchor = 0.5};

constexpr double kMargin = 14;  // between the picture's edge and its contents
constexpr double kReferenceHeight = 15;

struct Range {
  double low = 0;
  double high = 1;
};

// Far below the largest double, so that arithmetic on the axes cannot overflow.
bool Usable(double value) { return std::abs(value) <= 1e100; }
bool HasMean(const CurvePoint& point) { return Usable(point.x) && Usable(point.mean); }
bool HasBand(const CurvePoint& point) {
  return Usable(point.x) && Usable(point.low) && Usable(point.high);
}

void Include(std::optional<Range>& range, double value) {
  if (!range.has_value()) range = Range{value, value};
  range->low = std::min(range->low, value);
  range->high = std::max(range->high, value);
}

struct DataRanges {
  std::optional<Range> x;  // nullopt: nothing usable
  std::optional<Range> y;
};

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

// The data's range made fit for an axis: never empty, from zero when the data begins near it, and
// elsewhere with `padding` of its length beyond the data.
Range AxisRange(const std::optional<Range>& data, double padding) {
  if (!data.has_value()) return {0, 1};
  const double size = std::max(std::abs(data->low), std::abs(data->high));
  if (size == 0) return {-1, 1};
  if (data->high - data->low < 1e-9 * size) {
    return {std::min(0.0, 2 * data->low), std::max(0.0, 2 * data->high)};
  }
  const bool from_zero = data->low >= 0 && data->low < 0.5 * data->high;
  const double pad = padding * (data->high - (from_zero ? 0 : data->low));
  return {from_zero ? 0 : data->low - pad, data->high + pad};
}

// The stretches of `points` that are usable throughout.
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
    canvas_.FillBox({0, 0, Width(), Height()}, kWhite);
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
  double Width() const { return figure_.width; }
  double Height() const { return figure_.height; }
  double X(double value) const {
    return plot_.left + plot_.width * (value - x_.low) / (x_.high - x_.low);
  }
  double Y(double value) const {
    return plot_.bottom() - plot_.height * (value - y_.low) / (y_.high - y_.low);
  }
  Point Mean(const CurvePoint& point) const { return {X(point.x), Y(point.mean)}; }
  Occupancy::Upright Band(const CurvePoint& point) const {
    return {X(point.x), Y(point.low), Y(point.high)};
  }

  void LayOut();
  void LayOutPlot(double legend_height);
  Legend MakeLegend(std::span<const ReferenceLine> references) const;
  bool PlaceLegendInside(const Occupancy& occupied);
  Occupancy Occupied() const;
  std::vector<ReferenceLine> LabelReferences(std::span<const ReferenceLine> lines,
                                             Occupancy& occupied);
  std::vector<Box> ReferenceCandidates(double y, double width) const;
  std::vector<Box> LegendCandidates() const;

  void PaintGrid();
  void PaintBands(std::size_t series);
  void PaintCurve(std::size_t series);
  void PaintLonePoint(const CurvePoint& point, const Stroke& stroke);
  void PaintReferenceLines();
  void PaintReferenceLabels();
  void PaintAxes();
  void PaintLegend();
  void PaintTitles();

  Canvas& canvas_;
  const LearningCurveFigure& figure_;
  const DataRanges data_;

  Box plot_;
  Range x_;
  Range y_;
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
  legend_.LayOutAsRows(canvas_, Width() - 2 * kMargin, most_rows);
  LayOutPlot(legend_.height());
}

void Painter::LayOutPlot(double legend_height) {
  plot_.top = figure_.title.empty() ? kMargin : kMargin + 28;
  const double below = 24 + (figure_.x_label.empty() ? 0 : 22) + legend_height;
  plot_.height = Height() - plot_.top - below - kMargin / 2;
  y_ = AxisRange(data_.y, 0.06);
  const int most_y = std::max(2, static_cast<int>(plot_.height / 45));
  if (data_.y.has_value()) y_ticks_ = MakeAxisTicks(y_.low, y_.high, most_y);
  double tick_width = 0;
  for (const AxisTick& tick : y_ticks_) {
    tick_width = std::max(tick_width, canvas_.TextWidth(tick.label, kYTick));
  }
  plot_.left = std::ceil(kMargin + tick_width) + 8 + (figure_.y_label.empty() ? 0 : 24);
  plot_.width = Width() - plot_.left - kMargin - 8;
  x_ = AxisRange(data_.x, 0);
  const int most_x = std::max(2, static_cast<int>(plot_.width / 70));
  if (data_.x.has_value()) x_ticks_ = MakeAxisTicks(x_.low, x_.high, most_x);
}

// The series, and those reference lines that have no label of their own.
Legend Painter::MakeLegend(std::span<const ReferenceLine> references) const {
  Legend legend;
  for (std::size_t i = 0; i < figure_.series.size(); ++i) {
    const std::string& label = figure_.series[i].label;
    if (!label.empty()) legend.Add(label, SeriesStroke(i));
  }
  for (const ReferenceLine& line : references) {
    if (Usable(line.y) && !line.label.empty()) legend.Add(line.label, kReference);
  }
  return legend;
}

bool Painter::PlaceLegendInside(const Occupancy& occupied) {
  legend_.LayOutAsColumn(canvas_, 0.5 * plot_.width);
  const Box best = occupied.LeastCovering(LegendCandidates());
  const bool fits = best.height < plot_.height && occupied.CoveredBy(best) == 0;
  if (fits) legend_inside_ = Point{best.left, best.top};
  return fits;
}

// The parts that labels must not cover: lines, bands and reference lines.
Occupancy Painter::Occupied() const {
  Occupancy occupied;
  for (const CurveSeries& series : figure_.series) {
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
  const Colour colour = {SeriesStroke(series).colour.rgb, kBandOpacity};
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
  for (const auto stretch : Stretches(figure_.series[series].points, HasMean)) {
    if (stretch.size() == 1) {
      PaintLonePoint(stretch[0], stroke);
      continue;
    }
    std::vector<Point> line;
    for (const CurvePoint& point : stretch) line.push_back(Mean(point));
    canvas_.DrawLine(line, stroke);
  }
}

// A dot, and the band as an error bar.
void Painter::PaintLonePoint(const CurvePoint& point, const Stroke& stroke) {
  canvas_.FillCircle(Mean(point), kDotRadius, stroke.colour);
  if (!HasBand(point)) return;
  const Stroke bar = {.colour = stroke.colour, .width = 1.25};
  const double x = X(point.x), low = Y(point.low), high = Y(point.high);
  canvas_.DrawLine(std::array<Point, 2>{{{x, low}, {x, high}}}, bar);
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
    legend_.Paint(canvas_, {kMargin, Height() - legend_.height() - kMargin / 2});
  }
}

void Painter::PaintTitles() {
  const double middle_x = plot_.left + plot_.width / 2, middle_y = plot_.top + plot_.height / 2;
  canvas_.DrawText(canvas_.Ellipsise(figure_.title, kTitle, Width() - 2 * kMargin),
                   {figure_.title.empty() ? middle_x : Width() / 2, kMargin + 13}, kTitle);
  canvas_.DrawText(canvas_.Ellipsise(figure_.x_label, kXLabel, plot_.width),
                   {middle_x, plot_.bottom() + 38}, kXLabel);
  canvas_.DrawText(canvas_.Ellipsise(figure_.y_label, kYLabel, plot_.height),
                   {kMargin + 10, middle_y}, kYLabel);
  if (!data_.x.has_value()) {
    canvas_.DrawText("no data", {middle_x, plot_.top + plot_.height / 4}, kNoData);
  }
}

Status CheckSize(const LearningCurveFigure& figure) {
  const bool fits =
      figure.width >= 240 && figure.width <= 4000 && figure.height >= 180 && figure.height <= 4000;
  if (fits) return OkStatus();
  return InvalidArgument("figure is {} x {} pixels; expected 240..4000 x 180..4000", figure.width,
                         figure.height);
}

std::string EscapedLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return EscapeXml(text);
}

// The texts of the figure, which cairo writes as outlines, for search and screen readers.
std::string Description(const LearningCurveFigure& figure) {
  std::string labels = fmt::format("{} over {}", figure.y_label, figure.x_label);
  for (const CurveSeries& series : figure.series) labels += "; " + series.label;
  for (const ReferenceLine& line : figure.reference_lines) labels += "; " + line.label;
  return labels;
}

}  // namespace

namespace drawing {

void PaintLearningCurve(Canvas& canvas, const LearningCurveFigure& figure) {
  Painter(canvas, figure).Paint();
}

Stroke SeriesStroke(std::size_t series) {
  return {.colour = {kSeriesColours[series % kSeriesColours.size()]},
          .width = kCurveWidth,
          .dashed = series / kSeriesColours.size() % 2 == 1};
}

std::string DescribeSvg(std::string svg, const std::string& title, const std::string& description) {
  const std::size_t end_of_root_tag = svg.find('>', svg.find("<svg"));
  GORILA_CHECK(end_of_root_tag != svg.npos, "cairo wrote no <svg>");
  svg.insert(end_of_root_tag + 1, fmt::format("\n<title>{}</title>\n<desc>{}</desc>",
                                              EscapedLine(title), EscapedLine(description)));
  return svg;
}

}  // namespace drawing

StatusOr<std::string> RenderLearningCurvePng(const LearningCurveFigure& figure) {
  GORILA_RETURN_IF_ERROR(CheckSize(figure));
  return drawing::DrawPng(figure.width, figure.height, kLearningCurvePngScale,
                          [&](Canvas& canvas) { Painter(canvas, figure).Paint(); });
}

StatusOr<std::string> RenderLearningCurveSvg(const LearningCurveFigure& figure) {
  GORILA_RETURN_IF_ERROR(CheckSize(figure));
  GORILA_ASSIGN_OR_RETURN(
      std::string svg, drawing::DrawSvg(figure.width, figure.height,
                                        [&](Canvas& canvas) { Painter(canvas, figure).Paint(); }));
  return drawing::DescribeSvg(std::move(svg), figure.title, Description(figure));
}

Status WriteLearningCurve(const std::filesystem::path& path, const LearningCurveFigure& figure) {
  return WriteLearningCurve(path,
                            LearningCurveGrid{.title = {}, .x_label = {}, .panels = {figure}});
}

}  // namespace gorila
