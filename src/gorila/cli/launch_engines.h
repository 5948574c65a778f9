// What places the processes of a launched run: one table row an engine.
#ifndef GORILA_CLI_LAUNCH_ENGINES_H_
#define GORILA_CLI_LAUNCH_ENGINES_H_

#include <filesystem>
#include <memory>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config.h"
#include "gorila/run/run_directory.h"

namespace gorila::cli {

struct LaunchRequest {
  std::filesystem::path program;  // this very program
  bool quiet = false;
  Invocation invocation;
  TrainingWatch* watch;  // of a run that is watched here
  // What a resumed run was trained with so far; null for a new one.
  const Config* before = nullptr;
};

struct LaunchEngine {
  std::string_view name;
  bool watched_here;  // whether the process that launches stays and watches the run
  // InvalidArgument for what this engine cannot run, before anything is made.
  Status (*check)(const Config& config, const std::filesystem::path& run);
  // Prints what would be started without creating anything; returns the exit status.
  StatusOr<int> (*print)(const Config& config, const std::filesystem::path& run,
                         const LaunchRequest& request);
  // Starts, submits or resumes the run; returns the exit status. `directory` belongs to a launched
  // run.
  StatusOr<int> (*run)(const Config& config, std::unique_ptr<RunDirectory> directory,
                       const LaunchRequest& request);
};

// InvalidArgument with the names there are.
StatusOr<LaunchEngine> FindLaunchEngine(std::string_view name);

}  // namespace gorila::cli

#endif  // GORILA_CLI_LAUNCH_ENGINES_H_
