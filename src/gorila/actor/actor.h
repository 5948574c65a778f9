// An actor (paper section 4.1): steps its environments as its policy says, with its replica of the
// network, and puts every time step into replay.
#ifndef GORILA_ACTOR_ACTOR_H_
#define GORILA_ACTOR_ACTOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gorila/actor/actor_options.h"
#include "gorila/actor/reward_normaliser.h"
#include "gorila/agent/frame_stacker.h"
#include "gorila/agent/policy.h"
#include "gorila/base/random.h"
#include "gorila/env/environment.h"
#include "gorila/parameter_server/network_replica.h"
#include "gorila/replay/replay.h"

namespace gorila {

// Where this actor stands among all of them.
struct ActorPlace {
  int index = 0;
  int actors = 1;
};

struct EpisodeResult {
  double episode_return = 0;  // undiscounted, unclipped, not normalised
  std::int64_t length = 0;    // steps
  int game = 0;               // of those of the run
};

// Used by one thread at a time. Borrows the replica, whose network the policy acts by, and the
// replay; both must outlive it.
class Actor {
 public:
  // Begins an episode in every environment.
  static StatusOr<std::unique_ptr<Actor>> Make(
      const ActorOptions& options, const ActorPlace& place,
      std::vector<std::unique_ptr<Environment>> environments, NetworkReplica& replica,
      std::unique_ptr<Policy> policy, Replay& replay, RandomStream random);
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  // One step in every environment, whose actions are chosen together. `ticks`: the present value of
  // the clock that exploration follows. `finished` receives the episodes that ended. An episode
  // that its environment lost is cut off at the last state that was seen, and counted nowhere.
  Status Step(std::int64_t ticks, std::vector<EpisodeResult>& finished);

  int num_environments() const { return static_cast<int>(environments_.size()); }
  double epsilon() const { return epsilon_; }  // of the last Step, mean of its environments
  // Adds to game_frames().
  void CountEarlierFrames(std::span<const std::int64_t> frames);
  // Steps of the environments of each game, since the run began: also what was restored.
  std::span<const std::int64_t> game_frames() const { return game_frames_; }

  // Environments, observations, running returns and the random stream.
  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  Actor(const ActorOptions& options, const ActorPlace& place,
        std::vector<std::unique_ptr<Environment>> environments, NetworkReplica& replica,
        std::unique_ptr<Policy> policy, Replay& replay, RandomStream random);
  Status BeginEpisode(std::size_t i);
  Status AbandonEpisode(std::size_t i);
  void SetEpsilons(std::int64_t ticks);
  void ChooseActions();
  void CountFrames();
  Status RestoreFrames(StateReader& reader);
  ReplayRow PresentRow(std::size_t i, std::span<const std::byte> frame) const;
  RowValues ValuesOf(std::size_t i) const;
  float LogProbabilityOf(std::size_t i) const;
  Status StepEnvironment(std::size_t i, std::vector<EpisodeResult>& finished);

  const ActorOptions options_;
  const ActorPlace place_;
  const std::vector<std::unique_ptr<Environment>> environments_;
  const int num_games_;
  NetworkReplica& replica_;
  const std::unique_ptr<Policy> policy_;
  Replay& replay_;
  RandomStream random_;

  std::int64_t steps_ = 0;
  std::vector<std::int64_t> game_frames_;
  double epsilon_ = 1;
  FrameStacks stacks_;                // of each environment
  std::vector<TimeStep> time_steps_;  // present step of each
  std::vector<EpisodeResult> running_;
  std::optional<RewardNormaliser> normaliser_;
  std::vector<float> normalised_;  // reward of the present step of each; empty without normaliser_
  std::vector<ActingEnvironment> acting_;  // all draw from random_
  ActOutput chosen_;                       // in this step
};

}  // namespace gorila

#endif  // GORILA_ACTOR_ACTOR_H_
