// gorila evaluate RUN --all-checkpoints.
#ifndef GORILA_CLI_EVALUATE_ALL_H_
#define GORILA_CLI_EVALUATE_ALL_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "gorila/base/status.h"
#include "gorila/cli/config_flags.h"

namespace gorila::cli {

struct EvaluateAllOptions {
  const std::filesystem::path& run;
  const std::string& game;
  const ConfigFlags& config;
  std::optional<std::uint64_t> seed;
  bool json = false;
};

// Evaluates every network that the run kept, prints a line for each as it comes, and draws the
// curve of them (report/checkpoint_curve.h). What was evaluated before with the same settings is
// not evaluated again, so that the command can be stopped and repeated. The exit status: kFailure
// where a network could not be read, kInterrupted when stopped.
StatusOr<int> EvaluateAllCheckpoints(const EvaluateAllOptions& options);

}  // namespace gorila::cli

#endif  // GORILA_CLI_EVALUATE_ALL_H_
