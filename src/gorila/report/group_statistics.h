// What the runs of groups say together, seeds being repetitions: the report's tables of groups.
#ifndef GORILA_REPORT_GROUP_STATISTICS_H_
#define GORILA_REPORT_GROUP_STATISTICS_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/seed_statistics.h"
#include "gorila/report/report_markup.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// How groups are compared.
struct ComparisonOptions {
  std::vector<CurveAxis> axes = {CurveAxis::kFrames, CurveAxis::kSeconds};  // of curves
  Statistic statistic = Statistic::kMean;                                   // likewise
  // The label of the group that others are compared with; empty = each game's first.
  std::string baseline = {};
  BootstrapOptions bootstrap = {};
};

// The final scores of a group in one game by one protocol: one a finished run.
struct GameScores {
  std::string game;      // "minatar/breakout"
  std::string protocol;  // as ProtocolLabel has it
  std::vector<double> scores;
};

// In the order of the games, then of protocols as they come. Empty without a finished run.
std::vector<GameScores> FinalScores(const RunGroup& group);

// InvalidArgument, with all labels, for a baseline that no group is called.
Status CheckBaseline(std::span<const GameRuns> games, const std::string& baseline);

// The group that others are compared with: of that label (null where the game has none), or the
// first with a finished run.
const RunGroup* BaselineOf(const GameRuns& game, const std::string& baseline);

// "12.30 [10.10, 14.50]", without the interval where there is none.
std::string EstimateText(const Estimate& estimate);

// What a reader of intervals over so many seeds should know; empty from kFewSeeds on.
std::string FewSeedsNote(std::size_t least, std::size_t most);

// A table for each game: how many seeds each group has, mean and interquartile mean of their final
// scores, and how probably a run is better than one of the baseline's. Empty for a single run.
std::string GroupSection(ReportMarkup& markup, std::span<const GameRuns> games,
                         const ComparisonOptions& options);

}  // namespace gorila

#endif  // GORILA_REPORT_GROUP_STATISTICS_H_
