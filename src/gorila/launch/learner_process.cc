#include "gorila/launch/learner_process.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/mutex.h"
#include "gorila/base/runtime.h"
#include "gorila/config/resolve.h"
#include "gorila/launch/progress_reporter.h"
#include "gorila/launch/role_status.h"
#include "gorila/learner/learner.h"
#include "gorila/replay/prefetching_replay.h"
#include "gorila/run/agent_parts.h"
#include "gorila/run/bundle.h"
#include "gorila/run/cluster.h"
#include "gorila/run/timed_seams.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

// What the reporter's thread may see of the learner.
class ShownLearner {
 public:
  void Publish(Learner& learner, const WorkSeconds& work) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    counters_ = learner.counters();
    statistics_ += learner.TakeStatistics();
    work_ = work;
  }
  void AddTo(v1::RoleStatus& status) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    AddLearnerCounters(counters_, status);
    AddLearning(statistics_, status);
    AddWork(work_, status);
    statistics_.value_max = LearnerStatistics().value_max;
  }

 private:
  Mutex mutex_;
  LearnerCounters counters_ GORILA_GUARDED_BY(mutex_);
  LearnerStatistics statistics_ GORILA_GUARDED_BY(mutex_);
  WorkSeconds work_ GORILA_GUARDED_BY(mutex_){};
};

// When a learner ends: it is stopped, or the run has its frames and the updates that they pay for.
class RunEnd {
 public:
  RunEnd(const Config& config, const FrameClock& clock, const RoleHooks& hooks)
      : frames_(config.run.frames),
        pays_(config.replay.options.rate.insert_lead > 0),
        clock_(clock),
        hooks_(hooks) {}

  // Before Ended() is called.
  void Watch(const ShardedReplay& replay) { replay_ = &replay; }

  bool Ended() {
    if (ended_ || hooks_.stopped()) return true;
    if (clock_.frames() < frames_) return false;
    ended_ = !pays_ || HasPaid();
    return ended_;
  }

 private:
  bool HasPaid() {
    Clock::rep unset = 0;
    over_since_.compare_exchange_strong(unset, SteadyNow().time_since_epoch().count());
    const Clock::time_point since(Clock::duration(over_since_.load()));
    return SteadyNow() >= since + kOwedUpdatesDeadline ||
           replay_->NoneAllowedSince(since + kLastRowsDelay);
  }

  const std::int64_t frames_;
  const bool pays_;  // without replay.insert_lead any number may be owed
  const FrameClock& clock_;
  const RoleHooks& hooks_;
  const ShardedReplay* replay_ = nullptr;
  std::atomic<Clock::rep> over_since_{0};
  std::atomic<bool> ended_{false};
};

}  // namespace

Status RunLearnerProcess(const Config& config, const LearnerProcessOptions& options,
                         const RoleHooks& hooks) {
  FlushDenormalsInThisThread();
  const auto started = SteadyNow();
  FrameClock clock;  // of the actors; this process has no frames
  RunEnd end(config, clock, hooks);
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(const auto store, ConnectStore(options.parts, config, network, hooks));
  std::atomic<bool> ending{false};
  const auto replay = ConnectReplay(options.parts, config, network, 0, 0, hooks,
                                    [&] { return ending || end.Ended(); }, {});
  end.Watch(*replay);
  WorkerStore worker_store(config, *store);
  GORILA_ASSIGN_OR_RETURN(const auto group,
                          ConnectGroup(options.parts, config, network,
                                       config.run.bundles + options.index, *store, hooks));
  WorkClock work;  // of this thread
  TimedParameterStore timed_store(group != nullptr ? group->store() : worker_store.store(), work);
  const std::string& device = config.network.device;
  GORILA_ASSIGN_OR_RETURN(
      const auto online, MakeReplica(config, network, timed_store, NetworkReplica::Follows::kOnline,
                                     device, group.get()));
  GORILA_ASSIGN_OR_RETURN(auto target,
                          MakeTargetReplica(config, network, timed_store, group.get()));
  std::optional<PrefetchingReplay> prefetching;
  if (config.replay.prefetch) {
    // As many as there are shards, so that all of them can be at work.
    const PrefetchOptions ahead{.minibatches = static_cast<int>(options.parts.replays.size()),
                                .memory = online->network().host_memory()};
    prefetching.emplace(*replay, ahead, ending);
  }
  TimedReplay timed_replay(prefetching ? static_cast<Replay&>(*prefetching) : *replay, work);
  GORILA_ASSIGN_OR_RETURN(
      const auto learner,
      Learner::Make(ResolveLearnerOptions(config), *online, std::move(target), timed_replay,
                    timed_store, LearnerRandom(config, options.index)));
  ShownLearner shown;
  ProgressReporter reporter(*store, clock, hooks, [&] {
    ProcessReport report;
    report.status.set_role("learner");
    report.status.set_index(options.index);
    report.status.set_seconds(std::chrono::duration<double>(SteadyNow() - started).count());
    shown.AddTo(report.status);
    worker_store.AddStatus(report.status);
    AddGroup(group.get(), report.status);
    AddReplayStatus(*replay, report.status);
    return report;
  });
  GORILA_RETURN_IF_ERROR(reporter.Start(options.parts.retry));
  while (timed_store.UpdateCount() < WarmStartOf(config, options.index) && !end.Ended()) {
    SleepFor(kRemoteWarmStartLook);
    GORILA_RETURN_IF_ERROR(online->Refresh());
  }
  while (!hooks.stopped()) {
    const Status status = [&] {
      const WorkScope learning(work, Work::kLearning);
      return learner->Step();
    }();
    if (absl::IsCancelled(status) && end.Ended()) break;
    GORILA_RETURN_IF_ERROR(status);
    shown.Publish(*learner, work.seconds());
  }
  GORILA_RETURN_IF_ERROR(SettleUnlessStopped(worker_store, hooks));
  return reporter.Finish(config.run.frames);
}

}  // namespace gorila
