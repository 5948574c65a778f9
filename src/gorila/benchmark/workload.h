// A learner with all it needs, over random experience.
#ifndef GORILA_BENCHMARK_WORKLOAD_H_
#define GORILA_BENCHMARK_WORKLOAD_H_

#include <memory>
#include <string_view>
#include <vector>

#include "gorila/learner/learner.h"
#include "gorila/parameter_server/in_process_pieces.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/parameter_server/network_group.h"
#include "gorila/replay/local_replay.h"

namespace gorila {

inline constexpr int kBenchmarkBatch = 32;  // the papers'

// The environment that a network preset is published with: "nature_dqn" (84 x 84 grey levels, stack
// of 4, 18 actions) or "minatar_dqn" (10 x 10, 4 channels, 6 actions).
EnvironmentSpec PublishedEnvironment(std::string_view network_preset);

// `capacity` rows of random frames in episodes of 1000 steps, in one stream; transitions or unrolls
// can be sampled from it at once and without end.
StatusOr<std::unique_ptr<LocalReplay>> MakeFullReplay(const ObservationSpec& observation,
                                                      std::int64_t capacity,
                                                      const TransitionOptions& transition = {});

// `capacity` frames of a game of the registry that is played by random actions, in one stream.
StatusOr<std::unique_ptr<LocalReplay>> MakeGameReplay(std::string_view game, std::int64_t capacity,
                                                      const FrameStorageOptions& frames);

// theta under DQN's optimizer.
StatusOr<std::unique_ptr<InProcessParameterStore>> MakeBenchmarkStore(const NetworkSpec& network,
                                                                      int shards);

// What computes a learner's networks, and how much at once.
struct LearnerPlace {
  std::string_view backend = "auto";  // as for MakeQNetwork
  std::string_view device = "cpu";
  int batch = kBenchmarkBatch;  // transitions or unrolls
  AgentOptions agent = {.algorithm = "dqn"};
  int members = 1;  // threads that compute the network together
};

// `layers` with the heads and the noise that the agent's algorithm adds.
StatusOr<NetworkSpec> Described(NetworkSpec layers, const AgentOptions& agent);

// One thread at a time; several may share a store.
class LearnerWorkload {
 public:
  static StatusOr<std::unique_ptr<LearnerWorkload>> Make(const LearnerPlace& place,
                                                         const NetworkSpec& network,
                                                         InProcessParameterStore& whole);

  // A minibatch from replay to an applied gradient.
  void Step();

 private:
  LearnerWorkload() = default;

  std::unique_ptr<LocalReplay> replay_;
  std::unique_ptr<InProcessPieceStore> pieces_;
  std::unique_ptr<NetworkGroup> group_;  // of several members
  std::unique_ptr<NetworkReplica> online_;
  std::unique_ptr<Learner> learner_;
};

// Floating-point operations of one such step over a minibatch's states: forward passes (DQN's are
// the target network's and the online one's) and the online network's backward pass.
double LearnerStepFlops(const NetworkSpec& network, int states, int forward_passes = 2);

}  // namespace gorila

#endif  // GORILA_BENCHMARK_WORKLOAD_H_
