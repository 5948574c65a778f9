// Learning curves as pictures: PNG in light colours, SVG in the reader's, light or dark.
#ifndef GORILA_METRICS_LEARNING_CURVE_H_
#define GORILA_METRICS_LEARNING_CURVE_H_

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/chart_axis.h"

namespace gorila {

// A point of a curve. A `mean` that is not finite is a gap in the line; a `low` or `high` that is
// not finite is one in the band around it.
struct CurvePoint {
  double x = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

struct CurveSeries {
  std::string label;               // in the legend; empty = not there
  std::vector<CurvePoint> points;  // x ascending
  // Whether each point is a dot with its band as an error bar, instead of a line through all.
  bool dots = false;
};

// A dashed horizontal line, "DQN at 5M frames (Young & Tian 2019)" say.
struct ReferenceLine {
  double y = 0;
  std::string label;
};

// Narrower figures have less around the plot, and title and y label above it.
inline constexpr int kNarrowFigure = 480;

// All texts UTF-8. Sizes in pixels of the SVG; the PNG has kLearningCurvePngScale times as many.
struct LearningCurveFigure {
  std::string title;
  std::string x_label;
  AxisUnit x_unit = AxisUnit::kNumber;
  std::string y_label;
  std::vector<CurveSeries> series;
  std::vector<ReferenceLine> reference_lines;
  int width = 720;   // 240 to 4000
  int height = 440;  // 180 to 4000
};

// Several figures as one picture: a panel for each game of a run, say. Their sizes are not asked,
// and the legend, which all share, is that of the first. A grid of one panel is that figure.
struct LearningCurveGrid {
  std::string title;
  std::string x_label;  // of all panels
  std::vector<LearningCurveFigure> panels;
  int most_columns = 0;  // > 0: as a page is wide; 0: as many as make a compact picture
};

constexpr int kLearningCurvePngScale = 2;  // crisp text on today's screens

// The bytes of a picture. Axes fit the data and the reference lines and begin at zero where that
// costs little; values that are not finite are left out, and a figure without any says so. Labels
// stand where they cover nothing, or in a legend below the plot. InvalidArgument for a size out of
// range or text that is not UTF-8. Thread-safe.
StatusOr<std::string> RenderLearningCurvePng(const LearningCurveFigure& figure);

StatusOr<std::string> RenderLearningCurvePng(const LearningCurveGrid& grid);

// Likewise. Every colour is a class that the style inside, or a page around it, gives its colour
// (chart_palette.h); title and labels are also there as <title> and <desc>, for screen readers.
StatusOr<std::string> RenderLearningCurveSvg(const LearningCurveFigure& figure);
StatusOr<std::string> RenderLearningCurveSvg(const LearningCurveGrid& grid);

// As `path` ends, ".png" or ".svg" (otherwise InvalidArgument); written aside and renamed. Blocks
// on the disk.
Status WriteLearningCurve(const std::filesystem::path& path, const LearningCurveFigure& figure);
Status WriteLearningCurve(const std::filesystem::path& path, const LearningCurveGrid& grid);

}  // namespace gorila

#endif  // GORILA_METRICS_LEARNING_CURVE_H_
