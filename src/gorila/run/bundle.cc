#include "gorila/run/bundle.h"

#include <algorithm>
#include <utility>

#include "gorila/agent/algorithm.h"
#include "gorila/config/resolve.h"
#include "gorila/run/agent_parts.h"

namespace gorila {
StatusOr<std::unique_ptr<Bundle>> Bundle::Make(const Config& config, const NetworkSpec& network,
                                               int index, ParameterStore& store, FrameClock& clock,
                                               std::unique_ptr<NetworkGroup> group) {
  const auto stream = static_cast<std::uint64_t>(index);
  std::unique_ptr<Bundle> bundle(new Bundle(config, index, store, clock, std::move(group)));
  GORILA_ASSIGN_OR_RETURN(auto environments, MakeActorEnvironments(config, index));
  ParameterStore& timed_store = bundle->store_;
  GORILA_ASSIGN_OR_RETURN(
      bundle->online_, MakeReplica(config, network, timed_store, NetworkReplica::Follows::kOnline,
                                   config.network.device, bundle->group_.get()));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<NetworkReplica> target,
                          MakeTargetReplica(config, network, timed_store, bundle->group_.get()));
  GORILA_ASSIGN_OR_RETURN(
      bundle->replay_,
      LocalReplay::Make(ResolveReplayOptions(config), network.input, config.actor.environments,
                        RandomStream::Derive(config.run.seed, "replay", stream)));
  bundle->timed_replay_ = std::make_unique<TimedReplay>(*bundle->replay_, bundle->work_);
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<Policy> policy,
      MakePolicy(config.learner.agent, bundle->online_->network(), ActBy::kSample));
  const ActorPlace place{.index = index, .actors = config.run.bundles + config.cluster.actors};
  GORILA_ASSIGN_OR_RETURN(bundle->actor_,
                          Actor::Make(ResolveActorOptions(config), place, std::move(environments),
                                      *bundle->online_, std::move(policy), *bundle->timed_replay_,
                                      RandomStream::Derive(config.run.seed, "actor", stream)));
  GORILA_ASSIGN_OR_RETURN(
      bundle->learner_,
      Learner::Make(ResolveLearnerOptions(config), *bundle->online_, std::move(target),
                    *bundle->timed_replay_, timed_store, LearnerRandom(config, index)));
  bundle->PublishStatus();
  return bundle;
}

Status Bundle::Iterate() {
  const std::int64_t ticks =
      exploration_clock_ == ExplorationClock::kFrames ? clock_.frames() : store_.UpdateCount();
  finished_.clear();
  {
    const WorkScope acting(work_, Work::kActing);
    GORILA_RETURN_IF_ERROR(actor_->Step(ticks, finished_));
  }
  clock_.Add(frames_per_iteration());
  {
    const WorkScope learning(work_, Work::kLearning);
    while (replay_->CanSample()) GORILA_RETURN_IF_ERROR(learner_->Step());
  }
  PublishStatus();
  return OkStatus();
}

void Bundle::PublishStatus() {
  const ReplaySize size = replay_->Size();
  const MutexLock lock(mutex_);
  status_.learner = learner_->counters();
  status_.learning += learner_->TakeStatistics();
  status_.work = work_.seconds();
  status_.epsilon = actor_->epsilon();
  status_.game_frames.assign(actor_->game_frames().begin(), actor_->game_frames().end());
  status_.replay = size;
  status_.episodes.insert(status_.episodes.end(), finished_.begin(), finished_.end());
}

BundleStatus Bundle::TakeStatus() {
  const MutexLock lock(mutex_);
  BundleStatus status = status_;
  status_.episodes.clear();
  return status;
}

void Bundle::EndRecord() {
  const MutexLock lock(mutex_);
  status_.learning = {};
}

void Bundle::SaveState(bool replay, StateWriter& writer) const {
  actor_->SaveState(writer);
  learner_->SaveState(writer);
  if (replay) replay_->SaveState(writer);
}

Status Bundle::RestoreState(bool replay, StateReader& reader) {
  GORILA_RETURN_IF_ERROR(actor_->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(learner_->RestoreState(reader));
  if (replay) GORILA_RETURN_IF_ERROR(replay_->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.Finish());
  finished_.clear();
  PublishStatus();
  return OkStatus();
}

Status Bundle::RefreshReplicas() {
  GORILA_RETURN_IF_ERROR(online_->Refresh(Newness::kNewest));
  return learner_->RefreshTarget();
}

}  // namespace gorila
