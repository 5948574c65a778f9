#include <algorithm>
#include <cmath>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/metrics/learning_curve_painter.h"
#include "gorila/metrics/legend.h"

namespace gorila {
namespace {

using drawing::Canvas;
using drawing::Legend;
using drawing::TextStyle;

constexpr double kMargin = 14;  // as around a figure
constexpr double kTitleHeight = 34;
constexpr double kXLabelHeight = 24;
constexpr int kMostLegendRows = 4;
constexpr int kMostPixels = 8000;     // of a side of a PNG, and of a compact picture
constexpr int kMostLength = 100'000;  // of a column
constexpr TextStyle kTitle = {.size = 15, .bold = true, .anchor = 0.5};
constexpr TextStyle kXLabel = {.size = 12.5, .anchor = 0.5};

struct Layout {
  int columns = 1;
  int panel_width = 0;
  int panel_height = 0;
  int width = 0;
  int height = 0;
  int legend_rows = 0;
};

std::vector<std::string> Labels(const LearningCurveFigure& figure) {
  std::vector<std::string> labels;
  for (const CurveSeries& series : figure.series) labels.push_back(series.label);
  return labels;
}

// Few panels are large enough to read values off, many small enough to be seen together.
Layout LayOut(const LearningCurveGrid& grid) {
  const int panels = static_cast<int>(grid.panels.size());
  Layout layout;
  layout.columns = panels <= 4   ? 2
                   : panels <= 9 ? 3
                                 : static_cast<int>(std::ceil(std::sqrt(panels)));
  layout.panel_width = panels <= 9 ? 360 : 260;
  layout.panel_height = panels <= 9 ? 250 : 190;
  if (grid.most_columns > 0) {
    layout.columns = std::min(grid.most_columns, panels);
    layout.panel_width = layout.columns == 1 ? 340 : 360;
    layout.panel_height = 230;
  }
  const int labels = static_cast<int>(grid.panels.front().series.size());
  layout.legend_rows = labels <= 2 ? 1 : std::min(labels, kMostLegendRows);
  const int rows = (panels + layout.columns - 1) / layout.columns;
  layout.width = layout.columns * layout.panel_width;
  layout.height =
      rows * layout.panel_height + static_cast<int>(kTitleHeight + kXLabelHeight + kMargin +
                                                    layout.legend_rows * Legend::kRowHeight);
  return layout;
}

// A panel whose texts are those that differ from its neighbours'.
LearningCurveFigure Panel(const LearningCurveFigure& figure, const Layout& layout) {
  LearningCurveFigure panel = figure;
  panel.width = layout.panel_width;
  panel.height = layout.panel_height;
  panel.x_label.clear();
  panel.y_label.clear();
  for (CurveSeries& series : panel.series) series.label.clear();
  return panel;
}

void Paint(const LearningCurveGrid& grid, const Layout& layout, Canvas& canvas) {
  canvas.FillBox({0, 0, double(layout.width), double(layout.height)}, {drawing::kGroundInk});
  for (std::size_t i = 0; i < grid.panels.size(); ++i) {
    const int place = static_cast<int>(i);
    const int row = place / layout.columns;
    const double x = place % layout.columns * layout.panel_width;
    const double y = kTitleHeight + row * layout.panel_height;
    canvas.DrawAt({x, y}, [&](Canvas& inner) {
      drawing::PaintLearningCurve(inner, Panel(grid.panels[i], layout));
    });
  }
  const double middle = layout.width / 2.0, most = layout.width - 2 * kMargin;
  canvas.DrawText(canvas.Ellipsise(grid.title, kTitle, most), {middle, kMargin + 13}, kTitle);
  const double legend_top = layout.height - kMargin / 2 - layout.legend_rows * Legend::kRowHeight;
  canvas.DrawText(canvas.Ellipsise(grid.x_label, kXLabel, most), {middle, legend_top - 10},
                  kXLabel);
  Legend legend;
  const std::vector<CurveSeries>& series = grid.panels.front().series;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series[i].label.empty()) continue;
    legend.Add(series[i].label, drawing::SeriesStroke(i), series[i].dots);
  }
  if (legend.empty()) return;
  legend.LayOutAsRows(canvas, most, layout.legend_rows);
  legend.Paint(canvas, {kMargin, legend_top});
}

// InvalidArgument when the picture would be too large.
StatusOr<Layout> LayOutChecked(const LearningCurveGrid& grid) {
  if (grid.panels.empty()) return InvalidArgument("a grid without panels; expected at least one");
  const Layout layout = LayOut(grid);
  const int most = grid.most_columns > 0 ? kMostLength : kMostPixels;
  if (layout.width <= kMostPixels && layout.height <= most) return layout;
  return InvalidArgument("a grid of {} panels would be {} x {} pixels; expected at most {} each",
                         grid.panels.size(), layout.width, layout.height, most);
}

std::string Description(const LearningCurveGrid& grid) {
  std::string text = fmt::format("{} over {}", grid.panels.front().y_label, grid.x_label);
  for (const std::string& label : Labels(grid.panels.front())) text += "; " + label;
  for (const LearningCurveFigure& panel : grid.panels) text += "; " + panel.title;
  return text;
}

}  // namespace

StatusOr<std::string> RenderLearningCurvePng(const LearningCurveGrid& grid) {
  if (grid.panels.size() == 1) return RenderLearningCurvePng(grid.panels.front());
  GORILA_ASSIGN_OR_RETURN(const Layout layout, LayOutChecked(grid));
  return drawing::DrawPng(layout.width, layout.height, kLearningCurvePngScale,
                          [&](Canvas& canvas) { Paint(grid, layout, canvas); });
}

StatusOr<std::string> RenderLearningCurveSvg(const LearningCurveGrid& grid) {
  if (grid.panels.size() == 1) return RenderLearningCurveSvg(grid.panels.front());
  GORILA_ASSIGN_OR_RETURN(const Layout layout, LayOutChecked(grid));
  return drawing::DrawSvg(layout.width, layout.height, {grid.title, Description(grid)},
                          [&](Canvas& canvas) { Paint(grid, layout, canvas); });
}

Status WriteLearningCurve(const std::filesystem::path& path, const LearningCurveGrid& grid) {
  const std::string extension = path.extension().string();
  if (extension != ".png" && extension != ".svg") {
    return InvalidArgument("'{}' ends in '{}'; expected '.png' or '.svg'", path.string(),
                           extension);
  }
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, extension == ".png"
                                                       ? RenderLearningCurvePng(grid)
                                                       : RenderLearningCurveSvg(grid));
  return WriteFileAtomically(path, bytes);
}

}  // namespace gorila
