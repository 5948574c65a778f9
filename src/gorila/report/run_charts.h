// The charts of a report: returns, and what else training records say.
#ifndef GORILA_REPORT_RUN_CHARTS_H_
#define GORILA_REPORT_RUN_CHARTS_H_

#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/report_markup.h"
#include "gorila/report/run_groups.h"

namespace gorila {

// A run's training return over frames, and its evaluations as dots with their standard errors; of
// several games a panel each.
LearningCurveGrid MakeRunCurve(const Config& config, const RunHistory& history);

std::size_t CountRuns(const GameRuns& runs);

// A small chart of one quantity.
struct ChartPanel {
  std::string name;  // for files: "loss"
  LearningCurveFigure figure;
};

// Loss, value, gradient norm and so on over frames, where the logs have them: of one run the means
// of its records and their range, of several a curve for each group. `evaluations`: these too,
// where no MakeRunCurve() shows them.
std::vector<ChartPanel> TrainingPanels(const GameRuns& runs, bool evaluations);

// The chart for a wide page and for a phone. `name`: of the file, "curve-frames.svg".
StatusOr<ReportPicture> DrawChart(const std::string& name, const LearningCurveGrid& grid);
StatusOr<ReportPicture> DrawPanel(const std::string& name, const LearningCurveFigure& figure);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_CHARTS_H_
