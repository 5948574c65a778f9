#include "gorila/metrics/learning_curve.h"

#include "gorila/base/file.h"
#include "gorila/metrics/canvas.h"
#include "gorila/metrics/learning_curve_painter.h"

namespace gorila {
namespace {

using drawing::Canvas;

Status CheckSize(const LearningCurveFigure& figure) {
  const bool fits =
      figure.width >= 240 && figure.width <= 4000 && figure.height >= 180 && figure.height <= 4000;
  if (fits) return OkStatus();
  return InvalidArgument("figure is {} x {} pixels; expected 240..4000 x 180..4000", figure.width,
                         figure.height);
}

// The figure in a line, for screen readers.
std::string Description(const LearningCurveFigure& figure) {
  std::string labels = fmt::format("{} over {}", figure.y_label, figure.x_label);
  for (const CurveSeries& series : figure.series) labels += "; " + series.label;
  for (const ReferenceLine& line : figure.reference_lines) labels += "; " + line.label;
  return labels;
}

}  // namespace

StatusOr<std::string> RenderLearningCurvePng(const LearningCurveFigure& figure) {
  GORILA_RETURN_IF_ERROR(CheckSize(figure));
  return drawing::DrawPng(figure.width, figure.height, kLearningCurvePngScale,
                          [&](Canvas& canvas) { drawing::PaintLearningCurve(canvas, figure); });
}

StatusOr<std::string> RenderLearningCurveSvg(const LearningCurveFigure& figure) {
  GORILA_RETURN_IF_ERROR(CheckSize(figure));
  return drawing::DrawSvg(figure.width, figure.height, {figure.title, Description(figure)},
                          [&](Canvas& canvas) { drawing::PaintLearningCurve(canvas, figure); });
}

Status WriteLearningCurve(const std::filesystem::path& path, const LearningCurveFigure& figure) {
  return WriteLearningCurve(path,
                            LearningCurveGrid{.title = {}, .x_label = {}, .panels = {figure}});
}

}  // namespace gorila
