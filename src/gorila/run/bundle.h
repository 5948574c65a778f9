// A bundle (paper section 4.1, "bundled mode"): one actor, one local replay memory and one learner
// in one thread.
#ifndef GORILA_RUN_BUNDLE_H_
#define GORILA_RUN_BUNDLE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gorila/actor/actor.h"
#include "gorila/base/mutex.h"
#include "gorila/config/config.h"
#include "gorila/learner/learner.h"
#include "gorila/metrics/work_clock.h"
#include "gorila/replay/local_replay.h"
#include "gorila/run/agent_parts.h"
#include "gorila/run/timed_seams.h"

namespace gorila {

// Frames (environment steps) of all bundles together. Those of other processes are as of the last
// Synchronise(). Thread-safe.
class FrameClock {
 public:
  std::int64_t frames() const { return elsewhere_.load(std::memory_order_relaxed) + own(); }
  void Add(std::int64_t frames) { own_.fetch_add(frames, std::memory_order_relaxed); }
  void Set(std::int64_t frames) { Synchronise(frames, own()); }

  // Frames of this process alone.
  std::int64_t own() const { return own_.load(std::memory_order_relaxed); }
  // There were `frames` in all when own() was `own`.
  void Synchronise(std::int64_t frames, std::int64_t own) {
    elsewhere_.store(frames - own, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> own_{0};
  std::atomic<std::int64_t> elsewhere_{0};
};

// A bundle's figures while it runs.
struct BundleStatus {
  LearnerCounters learner;
  LearnerStatistics learning;  // since the last EndRecord
  WorkSeconds work{};          // of its thread, since it was made
  double epsilon = 1;
  std::vector<std::int64_t> game_frames;  // of each game, since the run began
  ReplaySize replay;
  std::vector<EpisodeResult> episodes;  // finished since the last look
};

// Iterate and the state methods are for one thread at a time; TakeStatus may be called from
// another.
class Bundle {
 public:
  // `store` and `clock` must outlive the bundle. `group`: what computes its network, over `store`;
  // null: the bundle's thread alone. InvalidArgument names the configuration key at fault.
  static StatusOr<std::unique_ptr<Bundle>> Make(const Config& config, const NetworkSpec& network,
                                                int index, ParameterStore& store, FrameClock& clock,
                                                std::unique_ptr<NetworkGroup> group = nullptr);

  // One actor step, then the learner updates that it pays for. Adds its frames to the clock.
  Status Iterate();

  // Whether the first bundle still learns alone (learner.warm_start), by the last known update
  // count of the parameter server: then Iterate is not to be called yet.
  bool WaitsForWarmStart() const { return store_.UpdateCount() < waits_until_; }

  std::int64_t frames_per_iteration() const { return actor_->num_environments(); }

  // The present counters, and the episodes since the last call.
  BundleStatus TakeStatus() GORILA_EXCLUDES(mutex_);

  // A record of the log ends: resets BundleStatus::learning.
  void EndRecord() GORILA_EXCLUDES(mutex_);

  LocalReplay& replay() { return *replay_; }

  // Actor and learner, and with `replay` the replay's changing part (its rows are saved as
  // segments).
  void SaveState(bool replay, StateWriter& writer) const;
  Status RestoreState(bool replay, StateReader& reader);

  // Frames of each game that the run made before, without this bundle.
  void CountEarlierFrames(std::span<const std::int64_t> frames) {
    actor_->CountEarlierFrames(frames);
    PublishStatus();
  }

  // Pulls the current parameters: after a checkpoint, a resumed and an uninterrupted bundle must
  // continue from the same replica.
  Status RefreshReplicas();

 private:
  Bundle(const Config& config, int index, ParameterStore& store, FrameClock& clock,
         std::unique_ptr<NetworkGroup> group)
      : exploration_clock_(config.actor.options.exploration.clock),
        waits_until_(WarmStartOf(config, index)),
        group_(std::move(group)),
        store_(group_ != nullptr ? group_->store() : store, work_),
        clock_(clock) {}

  void PublishStatus() GORILA_EXCLUDES(mutex_);

  const ExplorationClock exploration_clock_;
  const std::int64_t waits_until_;  // updates
  WorkClock work_;
  const std::unique_ptr<NetworkGroup> group_;  // may be null
  TimedParameterStore store_;
  FrameClock& clock_;
  std::unique_ptr<NetworkReplica> online_;  // of theta, shared by actor and learner
  std::unique_ptr<LocalReplay> replay_;
  std::unique_ptr<TimedReplay> timed_replay_;  // what actor and learner see of it
  std::unique_ptr<Actor> actor_;
  std::unique_ptr<Learner> learner_;
  std::vector<EpisodeResult> finished_;  // of the present iteration

  Mutex mutex_;
  BundleStatus status_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_RUN_BUNDLE_H_
