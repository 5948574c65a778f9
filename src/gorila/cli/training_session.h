// What `gorila train` and `gorila resume` have in common: a run with its progress on the terminal.
#ifndef GORILA_CLI_TRAINING_SESSION_H_
#define GORILA_CLI_TRAINING_SESSION_H_

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/metrics/progress.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/run/run_starts.h"
#include "gorila/run/trainer.h"

namespace gorila::cli {

// Shows a run on stderr. One thread.
class TrainingConsole {
 public:
  explicit TrainingConsole(bool quiet);

  // The curves on a wide terminal begin with what the run's log has, if there is one yet.
  void BeginWith(const std::filesystem::path& run_directory, const Config& config);

  // Refer to this console.
  TrainerHooks Hooks();

 private:
  bool StopWanted();
  void Show(const ProgressSnapshot& snapshot);
  void Warn(std::string_view warning);

  const bool quiet_;
  const ProgressOptions options_;
  ProgressView view_;
  std::chrono::steady_clock::time_point next_line_{};  // where progress is plain lines
  bool stopping_ = false;                              // the stop was announced
};

// RecordEnvironment (config/resolve.h) and RecordInitialNetwork (run/initial_network.h), whose
// notes go to stderr.
Status RecordAndNote(Config& config);
// The environment's part of it.
Status RecordEnvironmentAndNote(Config& config);

// An environment's name as part of a folder's: "minatar-breakout", "gymnasium-CartPole-v1",
// "plugin-libmaze".
std::string RunFolderName(std::string name);

// runs/<environment>-<source>-seed<seed>-<n> with the first n that is free.
std::filesystem::path FreeRunDirectory(const Config& config, const std::string& source);
// Creates `path`, or when it is empty the first free default path, even if other processes create
// theirs at the same time.
StatusOr<std::unique_ptr<RunDirectory>> MakeRunDirectory(const std::filesystem::path& path,
                                                         const Config& config,
                                                         const std::string& source);

// Prints what will be trained, by `shards`, to stdout.
Status PrintPlan(const Config& config, int shards, const std::filesystem::path& directory);

// Prints a finished run's result and where everything is to stdout.
void PrintResult(const std::filesystem::path& directory, const EvaluationRecord& record);

// Shows the result of a finished run that is resumed unchanged; the exit status. `resume`: the
// command that makes it longer.
int ShowFinished(const std::filesystem::path& directory, std::string_view resume,
                 const EvaluationRecord& record, bool quiet);

// Writes the report of a finished run and prints the result; the exit status, which is kFailure for
// one that learnt nothing or diverged (TrainingOutcome::problem). A stopped run is not an error:
// it says how to resume (the command `resume`) and gives kInterrupted.
StatusOr<int> EndRun(const std::filesystem::path& directory, const Config& config,
                     const TrainingOutcome& outcome, const Invocation& invocation,
                     std::string_view resume);

// What the run's starts.jsonl says of this process, but for what is known only when it trains.
RunStart DescribeStart(const Invocation& invocation);

// Has `hooks` append this process's start to the run's starts.jsonl. A file that cannot be written
// is a warning.
void RecordStart(const std::filesystem::path& directory, const Invocation& invocation,
                 const StartSettings& settings, TrainerHooks& hooks);

// Trains to the end; then as EndRun. `before`: what a resumed run was trained with so far; null =
// the trainer's configuration.
StatusOr<int> TrainToEnd(Trainer& trainer, TrainingConsole& console, TrainingWatch& watch,
                         const Invocation& invocation, const Config* before = nullptr);

}  // namespace gorila::cli

#endif  // GORILA_CLI_TRAINING_SESSION_H_
