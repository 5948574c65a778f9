// The report's sections about training curves: pictures, and what each group is where the shortest
// run ends.
#ifndef GORILA_REPORT_COMPARISON_SECTION_H_
#define GORILA_REPORT_COMPARISON_SECTION_H_

#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/report/group_statistics.h"
#include "gorila/report/report_markup.h"
#include "gorila/report/run_groups.h"

namespace gorila {

// Learning curves over each of the options' axes that the logs have. Games that were played in runs
// of their own are panels of one picture; runs with several games have a picture for each list of
// games. Runs without a curve are left out, which the caption says. The pictures' names begin with
// `stem`. Empty without curves.
StatusOr<std::string> CurveSection(ReportMarkup& markup, std::span<const GameRuns> games,
                                   const ComparisonOptions& options, const std::string& stem);

// The training return of a game's groups at equal frames, updates or wall time: where the shortest
// of their runs ends. Empty where no game has two groups with curves.
std::string ComparisonSection(ReportMarkup& markup, std::span<const GameRuns> games,
                              const ComparisonOptions& options);

}  // namespace gorila

#endif  // GORILA_REPORT_COMPARISON_SECTION_H_
