// The report's section about agents that were run on several games.
#ifndef GORILA_REPORT_AGGREGATE_SECTION_H_
#define GORILA_REPORT_AGGREGATE_SECTION_H_

#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/report/group_statistics.h"
#include "gorila/report/report_markup.h"
#include "gorila/report/run_groups.h"

namespace gorila {

// Groups whose settings differ only in the game, over all games that most of them were run on:
// normalised scores, performance profiles and how probably each improves on the baseline (Agarwal
// et al. 2021). Games without published references are not averaged; the section says so. Its
// picture's name begins with `stem`. Empty for a single run and where there is one game.
StatusOr<std::string> AggregateSection(ReportMarkup& markup, std::span<const GameRuns> games,
                                       const ComparisonOptions& options, const std::string& stem);

}  // namespace gorila

#endif  // GORILA_REPORT_AGGREGATE_SECTION_H_
