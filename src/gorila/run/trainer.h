// A training run from its first frame to its report: steps the cluster, logs, evaluates,
// checkpoints.
#ifndef GORILA_RUN_TRAINER_H_
#define GORILA_RUN_TRAINER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/cores.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/metrics/event_file.h"
#include "gorila/metrics/progress.h"
#include "gorila/metrics/run_log.h"
#include "gorila/run/cluster.h"
#include "gorila/run/milestones.h"
#include "gorila/run/run_checkpoint.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/run_observer.h"
#include "gorila/run/run_scorer.h"
#include "gorila/run/training_health.h"
#include "gorila/run/write_trouble.h"

namespace gorila {

// Callbacks of the run's owner. Any may be empty. Called in Run's thread.
struct TrainerHooks {
  std::function<bool()> stop_requested;                   // asked several times a second or more
  std::function<void(const ProgressSnapshot&)> progress;  // about twice a second
  std::function<void(std::string_view)> message;          // one line for people
  std::function<void(std::string_view)> warning = {};  // one that must be shown even with --quiet
  // Once, before the first frame: the frames and the seconds of training that the run has.
  std::function<void(std::int64_t frames, double seconds)> started = {};
  // A periodic evaluation's frames and mean return.
  std::function<void(std::int64_t, double)> evaluated = {};

  // `warning`, or `message` where that is empty.
  const std::function<void(std::string_view)>& warner() const {
    return warning ? warning : message;
  }
  void Warn(std::string_view text) const {
    if (const auto& say = warner(); say) say(text);
  }
};

struct TrainingOutcome {
  bool finished = false;  // false: stop was requested; gorila resume carries on
  Status unwritten = {};  // the first of what was to be written at the end and could not be
  ProgressSnapshot progress;
  RunScore score;  // of a finished run
  // Why a finished run has nothing to show for; empty = nothing is wrong.
  std::string problem;

  // Completes the outcome of a run that ended with `score`: flushes log and events.
  void Finish(RunScore run_score, const TrainingHealth& health, RunLog& log, EventFile& events);
};

// One run. One thread calls; Run starts and joins the bundles' threads.
class Trainer {
 public:
  // Whether the configuration can run on this machine, checked before anything is allocated.
  // InvalidArgument with the key.
  static Status Check(const Config& config);

  // Writes the resolved configuration into a new directory. InvalidArgument for a configuration
  // that cannot run here, with the key. The calling thread is pinned to run.cpus for as long as the
  // trainer lives.
  static StatusOr<std::unique_ptr<Trainer>> Start(const Config& given,
                                                  std::unique_ptr<RunDirectory> directory);
  // The same in a directory that is made at `path` (RunDirectory::Create), unless the configuration
  // is refused.
  static StatusOr<std::unique_ptr<Trainer>> Start(const Config& config,
                                                  const std::filesystem::path& path);

  // Resumes from the newest complete checkpoint, or from the beginning when there is none
  // (`message` says so, and why newer ones were passed over).
  static StatusOr<std::unique_ptr<Trainer>> Resume(const Config& config,
                                                   std::unique_ptr<RunDirectory> directory,
                                                   const TrainerHooks& hooks);

  // Trains until the configured frames (or seconds) are reached or stop is requested, then
  // checkpoints; a finished run is evaluated and its network written to final.safetensors.
  StatusOr<TrainingOutcome> Run(const TrainerHooks& hooks);

  const Config& config() const { return config_; }
  const RunDirectory& directory() const { return *directory_; }
  // The run's parameters. May be pulled from while Run runs.
  ParameterStore& store() { return cluster_->store(); }
  // Bytes of replay memory that the run holds.
  static std::int64_t ExpectedReplayBytes(const Config& config, const NetworkSpec& network);

 private:
  Trainer(const Config& config, std::unique_ptr<RunDirectory> directory,
          std::unique_ptr<PinnedThread> pinned, std::unique_ptr<Cluster> cluster);

  Status RestoreFrom(const Checkpoint& checkpoint, const TrainerHooks& hooks, int games_added);
  Status RunThreaded(const TrainerHooks& hooks);
  Status RunDeterministic(const TrainerHooks& hooks);
  Status StopBundles();
  bool StopWanted(const TrainerHooks& hooks);
  bool TimeIsUp(const TrainerHooks& hooks) const;
  void ShowProgress(const TrainerHooks& hooks);
  void Look(const TrainerHooks& hooks);
  Status EvaluateIfDue(const TrainerHooks& hooks);
  Status AppendRecord();
  Status CheckpointThreaded(const TrainerHooks& hooks);
  Status CaptureCheckpoint();
  // Writes what was captured; a disk failure is not an error.
  void WriteCheckpoint(const Status& captured, const TrainerHooks& hooks);
  // Aborted when the run's directory was removed.
  Status LookAtFiles(const TrainerHooks& hooks);
  StatusOr<TrainingOutcome> Finish(const TrainerHooks& hooks);
  // Warns where the log that should be kept is gone.
  Status OpenLog(std::optional<std::uint64_t> keep_bytes, const TrainerHooks& hooks);
  NetworkInTraining TakeNetwork();
  std::optional<DueMilestone> TakeMilestone(const TrainerHooks& hooks);
  // A disk failure is not an error: it is tried again.
  void WriteMilestone(const std::optional<DueMilestone>& due, const TrainerHooks& hooks);
  double Seconds() const;

  const Config config_;
  const std::unique_ptr<RunDirectory> directory_;
  const std::unique_ptr<PinnedThread> pinned_;  // to run.cpus; may be null
  const std::unique_ptr<Cluster> cluster_;
  RunCheckpointer checkpointer_;
  RunObserver observer_;
  std::optional<RunLog> log_;
  RunScorer scorer_;
  TrainingHealth health_;
  Milestones milestones_;
  std::optional<EventFile> events_;
  WriteTrouble writes_;
  bool checkpoint_failed_ = false;  // the last one
  std::chrono::steady_clock::time_point started_;
  double seconds_before_ = 0;  // of training before this process
  bool interrupted_ = false;
  bool results_removed_ = false;  // those of an earlier end
};

}  // namespace gorila

#endif  // GORILA_RUN_TRAINER_H_
