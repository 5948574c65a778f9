#include "gorila/cli/serial_runs.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/cli/run_scoring.h"
#include "gorila/cli/training_session.h"
#include "gorila/cli/training_watch.h"
#include "gorila/config/run_labels.h"
#include "gorila/report/evaluation_record.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

StatusOr<std::unique_ptr<Trainer>> StartOrResume(const PlannedRun& run, TrainingConsole& console) {
  std::error_code error;
  if (!fs::exists(run.directory / "config.toml", error)) {
    GORILA_RETURN_IF_ERROR(CreateFolders(run.directory.parent_path()));
    GORILA_ASSIGN_OR_RETURN(auto directory, RunDirectory::Create(run.directory));
    GORILA_RETURN_IF_ERROR(WriteRunLabels(run.directory, run.labels));
    return Trainer::Start(run.config, std::move(directory));
  }
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<RunDirectory> directory,
                          RunDirectory::Open(run.directory));
  return Trainer::Resume(run.config, std::move(directory), console.Hooks());
}

StatusOr<int> TrainRun(const PlannedRun& run, const ManyRunsOptions& options,
                       const Invocation& invocation) {
  if (!ReadFinalEvaluation(run.directory).ok()) {
    TrainingConsole console(options.quiet);
    GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer, StartOrResume(run, console));
    TrainingWatch nobody(nullptr, nullptr);
    GORILA_ASSIGN_OR_RETURN(const int status, TrainToEnd(*trainer, console, nobody, invocation));
    if (status != kSuccess) return status;
  }
  for (const std::string& protocol : options.protocols) {
    GORILA_ASSIGN_OR_RETURN(const std::string said, ScoreBy(run, protocol));
    if (!said.empty()) fmt::print("{}\n", said);
  }
  return kSuccess;
}

// One of the suite's runs; kSuccess where the suite continues with the next one. `result` becomes
// the suite's status where this run decides it.
StatusOr<int> TrainOne(const PlannedRun& run, const ManyRunsOptions& options,
                       const Invocation& invocation, int& result) {
  const StatusOr<int> status = TrainRun(run, options, invocation);
  if (absl::IsCancelled(status.status()) || (status.ok() && *status == kInterrupted)) {
    std::cerr << "run the same command again to resume the suite\n";
    return kInterrupted;
  }
  if (absl::IsFailedPrecondition(status.status())) {  // it diverged; the others may not
    std::cerr << fmt::format("gorila: {}: {}\n", run.directory.string(),
                             std::string(status.status().message()));
    result = kFailure;
    return kSuccess;
  }
  GORILA_RETURN_IF_ERROR(status.status());
  if (*status != kSuccess) result = *status;
  return kSuccess;
}

}  // namespace

StatusOr<int> TrainOneByOne(const std::vector<PlannedRun>& runs, const ManyRunsOptions& options,
                            const Invocation& invocation) {
  int result = kSuccess;
  std::vector<std::size_t> left(runs.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  // Runs that another process was working on are tried once more at the end.
  for (int look = 0; look < 2 && !left.empty(); ++look) {
    std::vector<std::size_t> busy;
    for (const std::size_t i : left) {
      fmt::print("run {} of {}: {}, seed {}\n", i + 1, runs.size(), runs[i].config.environment.name,
                 runs[i].config.run.seed);
      std::fflush(stdout);
      const StatusOr<int> status = TrainOne(runs[i], options, invocation, result);
      if (absl::IsAlreadyExists(status.status())) {
        std::cerr << status.status().message() << "; skipped\n";
        busy.push_back(i);
        continue;
      }
      GORILA_RETURN_IF_ERROR(status.status());
      if (*status != kSuccess) return *status;
    }
    left = std::move(busy);
  }
  if (left.empty()) return result;
  return Unavailable(
      "another process has {} of the runs; run the same command again when it has finished",
      left.size());
}

}  // namespace gorila::cli
