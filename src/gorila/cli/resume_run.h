// Resuming a run: `gorila resume`, and `gorila train --resume`.
#ifndef GORILA_CLI_RESUME_RUN_H_
#define GORILA_CLI_RESUME_RUN_H_

#include <filesystem>
#include <functional>

#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config.h"

namespace gorila::cli {

struct ResumeRequest {
  std::filesystem::path directory;
  std::function<Status(Config& config)> change;  // of the run's own configuration
  const WatchFlags* watch = nullptr;
  bool quiet = false;
};

// Trains the run to its end, or shows the result of a finished one that nothing changes; the exit
// status.
StatusOr<int> ResumeRun(const ResumeRequest& request, const Invocation& invocation);

}  // namespace gorila::cli

#endif  // GORILA_CLI_RESUME_RUN_H_
