// Trains the runs of a suite or a sweep in processes of their own, several at once.
#ifndef GORILA_CLI_PARALLEL_RUNS_H_
#define GORILA_CLI_PARALLEL_RUNS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "gorila/cli/run_plan.h"

namespace gorila::cli {

// The command that begins or resumes a run, the program's path first.
std::vector<std::string> RunCommandLine(const std::filesystem::path& program,
                                        const PlannedRun& run);

// Writes the file that RunCommandLine() names, for each of the runs.
Status WriteRunSettings(const std::vector<const PlannedRun*>& runs);

// How many of the plan's runs train at once; says so, and that --jobs was lowered.
StatusOr<int> SettleJobs(const RunPlan& plan, const ManyRunsOptions& options);

// Trains and scores all runs that are not done, `jobs` at once, each by a child process; prints a
// row as each ends. One that fails is named with the end of its log, and the others continue. The
// exit status: kFailure when one failed, kInterrupted after a stop, when every child has written a
// checkpoint.
StatusOr<int> TrainInChildren(const RunPlan& plan, const ManyRunsOptions& options, int jobs);

}  // namespace gorila::cli

#endif  // GORILA_CLI_PARALLEL_RUNS_H_
