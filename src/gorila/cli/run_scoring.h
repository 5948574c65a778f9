// What scores the runs of a suite or a sweep beside their own final evaluations.
#ifndef GORILA_CLI_RUN_SCORING_H_
#define GORILA_CLI_RUN_SCORING_H_

#include <string>

#include "gorila/cli/run_plan.h"

namespace gorila::cli {

// Whether a run has its final evaluation and one by every protocol.
bool IsDone(const PlannedRun& run, const std::vector<std::string>& protocols);

// Scores the trained network by another protocol, unless done before; a line that says the score,
// empty where there is nothing to do. Cancelled when the program is to stop. Thread-safe for
// different runs.
StatusOr<std::string> ScoreBy(const PlannedRun& run, const std::string& protocol);

}  // namespace gorila::cli

#endif  // GORILA_CLI_RUN_SCORING_H_
