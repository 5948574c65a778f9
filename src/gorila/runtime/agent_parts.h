// What actors, learners and agents that only play are made of, the same wherever they run.
#ifndef GORILA_RUNTIME_AGENT_PARTS_H_
#define GORILA_RUNTIME_AGENT_PARTS_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gorila/agent/policy.h"
#include "gorila/env/environment.h"
#include "gorila/network/q_network.h"
#include "gorila/parameter_server/network_replica.h"
#include "gorila/runtime/config.h"

namespace gorila {

// The environments of actor `actor`, each with its own random stream of the run's seed.
StatusOr<std::vector<std::unique_ptr<Environment>>> MakeActorEnvironments(const Config& config,
                                                                          int actor);

// The backend of what computes on the CPU whatever network.device says (actors of their own,
// evaluations): network.backend, or while that computes on a GPU the fastest here, so that neither
// libtorch nor a GPU is needed where there is no learner.
inline std::string_view CpuBackend(const Config& config) {
  return config.network.device == "cpu" ? std::string_view(config.network.backend) : "auto";
}

// A replica for the batches of an actor and a learner, computed on `device`. `store` must outlive
// it.
StatusOr<std::unique_ptr<NetworkReplica>> MakeReplica(const Config& config,
                                                      const NetworkSpec& network,
                                                      ParameterStore& store,
                                                      NetworkReplica::Follows follows,
                                                      std::string_view device);

// How agents choose actions by `network`, which must outlive the policy.
std::unique_ptr<Policy> MakePolicy(QNetwork& network);

// A network that plays without learning: in evaluations, in films, for whoever watches.
struct PlayingAgent {
  std::unique_ptr<QNetwork> network;  // on the CPU; has no parameters yet
  std::unique_ptr<Policy> policy;     // acts by it
};

// For at most `environments` at once. InvalidArgument names the key that has no such network.
StatusOr<PlayingAgent> MakePlayingAgent(const Config& config, int environments);

// Bytes of memory of this machine; the largest number where it does not say.
std::int64_t MachineMemoryBytes();

// InvalidArgument unless `needed` bytes of replay memory (`what` says what for) fit into
// replay.byte_budget, or into four fifths of this machine's memory when that is 0.
// Products and sums of bytes; the largest number where that is exceeded.
std::int64_t SaturatingProduct(std::int64_t a, std::int64_t b);
std::int64_t SaturatingSum(std::int64_t a, std::int64_t b);

Status CheckReplayBytes(const Config& config, std::int64_t needed, std::string_view what);

}  // namespace gorila

#endif  // GORILA_RUNTIME_AGENT_PARTS_H_
