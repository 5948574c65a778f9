#include "gorila/launch/actor_process.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "gorila/actor/actor.h"
#include "gorila/agent/algorithm.h"
#include "gorila/base/denormals.h"
#include "gorila/base/mutex.h"
#include "gorila/base/runtime.h"
#include "gorila/config/resolve.h"
#include "gorila/launch/progress_reporter.h"
#include "gorila/launch/role_status.h"
#include "gorila/run/agent_parts.h"
#include "gorila/run/bundle.h"
#include "gorila/run/cluster.h"
#include "gorila/run/timed_seams.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

// What the reporter's thread may see of the actor.
class ShownActor {
 public:
  void Publish(const Actor& actor, const WorkSeconds& work, std::vector<EpisodeResult>& finished)
      GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    epsilon_ = actor.epsilon();
    work_ = work;
    game_frames_.assign(actor.game_frames().begin(), actor.game_frames().end());
    episodes_.insert(episodes_.end(), finished.begin(), finished.end());
    finished.clear();
  }
  void TakeInto(ProcessReport& report) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    report.episodes = std::exchange(episodes_, {});
    report.game_frames = game_frames_;
    (*report.status.mutable_gauges())["epsilon"] = epsilon_;
    AddWork(work_, report.status);
  }

 private:
  Mutex mutex_;
  double epsilon_ GORILA_GUARDED_BY(mutex_) = 1;
  WorkSeconds work_ GORILA_GUARDED_BY(mutex_){};
  std::vector<std::int64_t> game_frames_ GORILA_GUARDED_BY(mutex_);
  std::vector<EpisodeResult> episodes_ GORILA_GUARDED_BY(mutex_);
};

// Until the run has its frames; OK when it was stopped.
Status Act(const Config& config, Actor& actor, WorkClock& work, const ParameterStore& store,
           FrameClock& clock, const ProgressReporter& reporter, ShownActor& shown,
           const rpc::StopPredicate& stopped) {
  const bool by_frames = config.actor.options.exploration.clock == ExplorationClock::kFrames;
  std::vector<EpisodeResult> finished;
  while (!reporter.HasTold(config.run.frames) && !stopped()) {
    if (clock.frames() >= config.run.frames) continue;  // not told yet
    const std::int64_t ticks = by_frames ? clock.frames() : store.UpdateCount();
    const Status status = [&] {
      const WorkScope acting(work, Work::kActing);
      return actor.Step(ticks, finished);
    }();
    if (absl::IsCancelled(status) && stopped()) return OkStatus();
    GORILA_RETURN_IF_ERROR(status);
    clock.Add(actor.num_environments());
    shown.Publish(actor, work.seconds(), finished);
  }
  return OkStatus();
}

}  // namespace

ActorPlace PlaceOfActor(const Config& config, int index, int actors) {
  // Actors started by hand may lack the run's bundles in their configuration.
  if (config.cluster.actors != actors) return {.index = index, .actors = actors};
  return {.index = config.run.bundles + index, .actors = config.run.bundles + actors};
}

Status RunActorProcess(const Config& config, const ActorProcessOptions& options,
                       const RoleHooks& hooks) {
  if (options.actors < 1 || options.index < 0 || options.index >= options.actors) {
    return InvalidArgument("--actor-index is {}; expected 0..{} of {} actors", options.index,
                           options.actors - 1, options.actors);
  }
  FlushDenormalsInThisThread();
  const auto started = SteadyNow();
  const auto stopped = [&hooks] { return hooks.stopped(); };
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(const auto store, ConnectStore(options.parts, config, network, hooks));
  const Config own = WithStreamsOfThisLife(config, Role::kActor, *store);
  GORILA_ASSIGN_OR_RETURN(auto environments, MakeActorEnvironments(own, options.index));
  FrameClock clock;
  const auto replay =
      ConnectReplay(options.parts, config, network, options.index, config.actor.environments, hooks,
                    stopped, [&] { return clock.frames() >= config.run.frames; });
  WorkerStore worker_store(config, *store);
  WorkClock work;  // of this thread
  TimedParameterStore timed_store(worker_store.store(), work);
  TimedReplay timed_replay(*replay, work);
  // Acting's batches are small, so a GPU is left to the learners.
  GORILA_ASSIGN_OR_RETURN(const auto replica, MakeReplica(config, network, timed_store,
                                                          NetworkReplica::Follows::kOnline, "cpu"));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Policy> policy,
                          MakePolicy(config.learner.agent, replica->network(), ActBy::kSample));
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Actor> actor,
      Actor::Make(
          ResolveActorOptions(config), PlaceOfActor(config, options.index, options.actors),
          std::move(environments), *replica, std::move(policy), timed_replay,
          RandomStream::Derive(own.run.seed, "actor", static_cast<std::uint64_t>(options.index))));
  ShownActor shown;
  ProgressReporter reporter(*store, clock, hooks, [&] {
    ProcessReport report;
    report.status.set_role("actor");
    report.status.set_index(options.index);
    report.status.set_seconds(std::chrono::duration<double>(SteadyNow() - started).count());
    shown.TakeInto(report);
    (*report.status.mutable_counters())["frames"] = clock.own();
    worker_store.AddStatus(report.status);
    AddReplayStatus(*replay, report.status);
    return report;
  });
  GORILA_RETURN_IF_ERROR(reporter.Start(options.parts.retry));
  GORILA_RETURN_IF_ERROR(Act(config, *actor, work, *store, clock, reporter, shown, stopped));
  const Status flushed = replay->Flush();
  if (!flushed.ok() && !stopped()) {
    hooks.Say(fmt::format("cannot insert the last rows: {}", std::string(flushed.message())));
  }
  return reporter.Finish(config.run.frames);
}

}  // namespace gorila
