// Trains the runs of a suite one after the other in this process, with their progress.
#ifndef GORILA_CLI_SERIAL_RUNS_H_
#define GORILA_CLI_SERIAL_RUNS_H_

#include "gorila/cli/run_plan.h"
#include "gorila/cli/verb.h"

namespace gorila::cli {

// Trains and scores all runs that are not done; whether all of them learnt.
StatusOr<int> TrainOneByOne(const std::vector<PlannedRun>& runs, const ManyRunsOptions& options,
                            const Invocation& invocation);

}  // namespace gorila::cli

#endif  // GORILA_CLI_SERIAL_RUNS_H_
