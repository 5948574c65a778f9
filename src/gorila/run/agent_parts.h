// The parts of actors and learners, shared by bundles and separate processes.
#ifndef GORILA_RUN_AGENT_PARTS_H_
#define GORILA_RUN_AGENT_PARTS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/config/config.h"
#include "gorila/env/environment.h"
#include "gorila/parameter_server/network_group.h"
#include "gorila/parameter_server/network_replica.h"

namespace gorila {

// The environments of actor `actor`, each with its own random stream of the run's seed.
StatusOr<std::vector<std::unique_ptr<Environment>>> MakeActorEnvironments(const Config& config,
                                                                          int actor);

// A replica for the batches of an actor and a learner, computed on `device`, or by `group` unless
// it is null; then `store` leads to the group's. `store` must outlive it.
StatusOr<std::unique_ptr<NetworkReplica>> MakeReplica(
    const Config& config, const NetworkSpec& network, ParameterStore& store,
    NetworkReplica::Follows follows, std::string_view device, NetworkGroup* group = nullptr);

// That of theta- for a learner; null when the algorithm does not use it.
StatusOr<std::unique_ptr<NetworkReplica>> MakeTargetReplica(const Config& config,
                                                            const NetworkSpec& network,
                                                            ParameterStore& store,
                                                            NetworkGroup* group = nullptr);

// Of the group of a bundle or learner that the parameter server knows as `client`.
NetworkGroupOptions GroupOptionsOf(const Config& config, std::uint64_t client);

// What learner `index` draws noise from; its bundle's index in a bundle.
inline RandomStream LearnerRandom(const Config& config, int index) {
  return RandomStream::Derive(config.run.seed, "learner", static_cast<std::uint64_t>(index));
}

// Updates of the parameter server before bundle or learner `index` begins.
inline std::int64_t WarmStartOf(const Config& config, int index) {
  return index > 0 ? config.learner.warm_start : 0;
}
// How often one that waits for them looks.
inline constexpr std::chrono::milliseconds kWarmStartLook{1};          // in this process
inline constexpr std::chrono::milliseconds kRemoteWarmStartLook{100};  // by a pull

// InvalidArgument unless `needed` bytes of replay memory (`what` says what for) fit into
// replay.byte_budget, or into four fifths of this machine's memory when that is 0.
Status CheckReplayBytes(const Config& config, std::int64_t needed, std::string_view what);

}  // namespace gorila

#endif  // GORILA_RUN_AGENT_PARTS_H_
