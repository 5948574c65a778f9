// What a sweep found.
#ifndef GORILA_CLI_SWEEP_RESULTS_H_
#define GORILA_CLI_SWEEP_RESULTS_H_

#include "gorila/cli/run_plan.h"

namespace gorila::cli {

// Prints each game's points, the best first, with their scores over seeds, and writes report.html
// about all finished runs in the sweep's folder. The exit status: kFailure where a finished run has
// nothing to show for.
StatusOr<int> ReportSweep(const RunPlan& plan, const ManyRunsOptions& options);

}  // namespace gorila::cli

#endif  // GORILA_CLI_SWEEP_RESULTS_H_
