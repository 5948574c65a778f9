// Watches a distributed run from outside: progress, metrics, periodic evaluations, the final score.
// The parts of the run are other processes, started by anyone.
#ifndef GORILA_LAUNCH_COORDINATOR_H_
#define GORILA_LAUNCH_COORDINATOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gorila/launch/launch_files.h"
#include "gorila/launch/process_usage.h"
#include "gorila/launch/role_options.h"
#include "gorila/launch/worker_samples.h"
#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/rpc/channel.h"
#include "gorila/run/milestones.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/run_observer.h"
#include "gorila/run/run_scorer.h"
#include "gorila/run/trainer.h"
#include "gorila/run/training_health.h"

namespace gorila {

struct CoordinatorOptions {
  std::vector<rpc::Endpoint> parameter_servers;
  std::vector<rpc::Endpoint> replays;  // whose rows are shown; may be empty
  RoleCredentials credentials;
  // How long absent parameter servers are waited for.
  std::chrono::milliseconds patience{600'000};
};

// One run. One thread calls.
class Coordinator {
 public:
  // Continues the run in `directory`, which may be new and must outlive the coordinator. `failure`:
  // why the run cannot continue, asked several times a second.
  static StatusOr<std::unique_ptr<Coordinator>> Open(const Config& config,
                                                     const RunDirectory& directory,
                                                     std::function<Status()> failure);

  // Waits until every parameter server answers. Call it before a worker starts, so that the event
  // file begins where the run resumes. `hooks` must outlive the coordinator. Cancelled when a stop
  // is requested.
  Status Connect(const CoordinatorOptions& options, const TrainerHooks& hooks);

  // Blocks until the run has its frames (or seconds) and the updates that they pay for, or a stop
  // is requested. Unavailable when the first parameter server is away for longer than `patience`.
  Status Watch(const TrainerHooks& hooks);

  // Looks a last time and logs it; then evaluates, unless the run was stopped before its end.
  StatusOr<TrainingOutcome> Finish(const TrainerHooks& hooks);

  // Whether stop is requested or the run's seconds have passed.
  bool StopWanted(const TrainerHooks& hooks);
  bool interrupted() const { return interrupted_; }

 private:
  Coordinator(const Config& config, const RunDirectory& directory, std::function<Status()> failure);

  Status Begin(std::chrono::milliseconds patience, const TrainerHooks& hooks);
  bool GivenUp(const TrainerHooks& hooks) const;
  // Continues the counts that an earlier process logged.
  void ContinueFrom(const LoggedProgress& logged);
  Status AppendRecord();
  // False when shard 0 does not answer now.
  bool Observe();
  // Observes, and reports when shard 0 goes away or returns. Unavailable once it has been away for
  // longer than the patience.
  StatusOr<bool> Look(const TrainerHooks& hooks);
  Status WatchFrames(const TrainerHooks& hooks);
  // Blocks until learners have made the updates that the frames pay for.
  Status WatchOwedUpdates(const TrainerHooks& hooks);
  void ObserveOtherServers(RunSample& sample);
  Status EvaluateIfDue(const TrainerHooks& hooks);
  Status WriteDueMilestone(const TrainerHooks& hooks);
  Status CollectEvaluations(const TrainerHooks& hooks);
  StatusOr<NetworkInTraining> TakeNetwork();
  Status WriteBest();
  // Aborted when the run's directory was removed.
  Status LookAtFiles(const TrainerHooks& hooks);
  Status ReadBest();
  // Keeps what waits for its evaluation in files, for a restarted coordinator.
  Status WritePending();
  Status ReadPending();
  double WatchedSeconds() const;  // by this process
  double Seconds() const;

  const Config config_;
  const RunDirectory& directory_;
  const LaunchFiles files_;
  const std::function<Status()> failure_;
  ParameterLayout layout_;
  std::optional<RunLog> log_;
  std::optional<EventFile> events_;
  RunObserver observer_;
  WorkerSamples workers_;
  ProcessUsage usage_{/*continues=*/false};
  RunScorer scorer_;
  TrainingHealth health_;
  Milestones milestones_;  // looks at layout_
  WriteTrouble writes_;
  std::int64_t written_best_ = -1;             // frames of the network in its file
  std::vector<std::int64_t> written_pending_;  // the same for those that wait
  std::chrono::steady_clock::time_point started_;
  double seconds_before_ = 0;              // of training before this process
  std::chrono::milliseconds patience_{0};  // with shard 0
  std::optional<std::chrono::steady_clock::time_point> away_since_;  // shard 0
  bool said_away_ = false;
  std::int64_t next_episode_ = 0;
  std::int64_t episodes_generation_ = 0;  // of shard 0, in which next_episode_ counts
  bool interrupted_ = false;
  std::int64_t owed_updates_ = 0;  // that replay shards and learners still owe
  std::unique_ptr<RemoteParameterStore> store_;
  std::vector<std::unique_ptr<rpc::Channel>> replays_;
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_COORDINATOR_H_
