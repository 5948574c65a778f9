// The training curves of runs that are compared.
#ifndef GORILA_REPORT_GROUP_CURVES_H_
#define GORILA_REPORT_GROUP_CURVES_H_

#include <span>
#include <string>
#include <vector>

#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// Of each of the group's runs, the curve of one of its games; runs that have none yet (fewer than
// two points) are left out.
std::vector<std::vector<CurveSample>> GroupCurves(const RunGroup& group, CurveAxis axis, int game);

// Whether there is a curve to draw of one of the run's games at least.
bool HasCurve(const RunSummary& run, CurveAxis axis);

// The game as text has it: "breakout" of a run's "minatar/breakout" among others. Empty in runs
// with one game.
std::vector<std::string> GameLabels(const GameRuns& runs);

// A curve for each group, the statistic over its runs and its 95 % bootstrap interval; of runs with
// several games a panel for each. A group or a game without a curve has an empty one.
LearningCurveGrid MakeCurves(const GameRuns& runs, CurveAxis axis,
                             Statistic statistic = Statistic::kMean);

// A panel for each of several games that were played in runs of their own; what belongs to one
// agent (RunGroup) has the same colour in all of them. `games` must have one game each.
LearningCurveGrid MakeGamePanels(std::span<const GameRuns> games, CurveAxis axis,
                                 Statistic statistic = Statistic::kMean);

// The training curves of runs with the same game, or the same several ones.
struct ComparedCurves {
  std::string name;  // of the game or games, for people; equal ones may be of different games
  LearningCurveGrid picture;
};

// InvalidArgument for a run without a curve.
StatusOr<std::vector<ComparedCurves>> CompareRuns(std::span<const RunSummary> runs, CurveAxis axis,
                                                  Statistic statistic = Statistic::kMean);

}  // namespace gorila

#endif  // GORILA_REPORT_GROUP_CURVES_H_
