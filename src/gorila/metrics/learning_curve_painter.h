// Draws learning curves on a canvas. Internal to metrics.
#ifndef GORILA_METRICS_LEARNING_CURVE_PAINTER_H_
#define GORILA_METRICS_LEARNING_CURVE_PAINTER_H_

#include <cstddef>

#include "gorila/metrics/canvas.h"
#include "gorila/metrics/learning_curve.h"

namespace gorila::drawing {

// Over the figure's size, from the canvas's corner.
void PaintLearningCurve(Canvas& canvas, const LearningCurveFigure& figure);

// The line of the series with this index.
Stroke SeriesStroke(std::size_t series);

}  // namespace gorila::drawing

#endif  // GORILA_METRICS_LEARNING_CURVE_PAINTER_H_
