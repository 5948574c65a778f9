// An actor (paper section 4.1): steps its environments epsilon-greedily with its replica of the
// Q-network and puts every time step into replay.
#ifndef GORILA_ACTOR_ACTOR_H_
#define GORILA_ACTOR_ACTOR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "gorila/actor/exploration.h"
#include "gorila/actor/frame_stacker.h"
#include "gorila/base/random.h"
#include "gorila/env/environment.h"
#include "gorila/parameter_server/network_replica.h"
#include "gorila/replay/replay.h"

namespace gorila {

struct ActorOptions {
  ExplorationOptions exploration;
  int refresh_every = 1;  // pulls parameters before every so many steps (1 = the paper's)
};

// Where this actor stands among all of them.
struct ActorPlace {
  int index = 0;
  int actors = 1;
};

struct EpisodeResult {
  double episode_return = 0;  // undiscounted, unclipped
  std::int64_t length = 0;    // steps
};

// Used by one thread at a time. Borrows the replica and the replay, which must outlive it.
class Actor {
 public:
  Actor(const ActorOptions& options, const ActorPlace& place,
        std::vector<std::unique_ptr<Environment>> environments, NetworkReplica& replica,
        Replay& replay, RandomStream random);

  // One step in every environment, with one batched forward pass. `ticks`: the present value of the
  // clock that exploration follows. `finished` receives the episodes that ended.
  Status Step(std::int64_t ticks, std::vector<EpisodeResult>& finished);

  int num_environments() const { return static_cast<int>(environments_.size()); }
  double epsilon() const { return epsilon_; }  // of the last Step

  // Environments, observations, running returns and the random stream.
  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  void BeginEpisode(std::size_t i);
  void ChooseActions();
  Status StepEnvironment(std::size_t i, std::vector<EpisodeResult>& finished);
  FrameStacker Stacker(std::size_t i);

  const ActorOptions options_;
  const ActorPlace place_;
  const std::vector<std::unique_ptr<Environment>> environments_;
  const ObservationSpec observation_;
  const int num_actions_;
  NetworkReplica& replica_;
  Replay& replay_;
  RandomStream random_;

  std::int64_t steps_ = 0;
  double epsilon_ = 1;
  std::vector<std::byte> observations_;  // environments x stacked_bytes
  std::vector<TimeStep> time_steps_;     // present step of each environment
  std::vector<EpisodeResult> running_;
  std::vector<float> q_;  // environments x actions
  std::vector<int> actions_;
  std::vector<char> explores_;  // whether the action of this step is random
};

}  // namespace gorila

#endif  // GORILA_ACTOR_ACTOR_H_
