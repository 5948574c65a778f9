// The training curves of runs that are compared.
#ifndef GORILA_REPORT_GROUP_CURVES_H_
#define GORILA_REPORT_GROUP_CURVES_H_

#include <span>
#include <string>
#include <vector>

#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_report.h"

namespace gorila {

// Of each of the group's runs, the curve of one of its games.
std::vector<std::vector<CurveSample>> GroupCurves(const RunGroup& group, CurveAxis axis, int game);

// Whether there is a curve to draw of one of the run's games at least.
bool HasCurve(const RunSummary& run, CurveAxis axis);

// Whether every run has a curve to draw of the game.
bool HaveCurves(std::span<const RunGroup> groups, CurveAxis axis, int game);

// The game as text has it: "breakout" of a run's "minatar/breakout" among others. Empty in runs
// with one game.
std::vector<std::string> GameLabels(const GameRuns& runs);

// A curve for each group, the mean over its runs and its 95 % confidence interval; of runs with
// several games a panel for each. A game of which a run has no curve yet has an empty panel.
LearningCurveGrid MakeCurves(const GameRuns& runs, CurveAxis axis);

}  // namespace gorila

#endif  // GORILA_REPORT_GROUP_CURVES_H_
