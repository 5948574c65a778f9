// The parts of actors and learners, shared by bundles and separate processes.
#ifndef GORILA_RUN_AGENT_PARTS_H_
#define GORILA_RUN_AGENT_PARTS_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/config/config.h"
#include "gorila/env/environment.h"
#include "gorila/parameter_server/network_replica.h"

namespace gorila {

// The environments of actor `actor`, each with its own random stream of the run's seed.
StatusOr<std::vector<std::unique_ptr<Environment>>> MakeActorEnvironments(const Config& config,
                                                                          int actor);

// A replica for the batches of an actor and a learner, computed on `device`. `store` must outlive
// it.
StatusOr<std::unique_ptr<NetworkReplica>> MakeReplica(const Config& config,
                                                      const NetworkSpec& network,
                                                      ParameterStore& store,
                                                      NetworkReplica::Follows follows,
                                                      std::string_view device);

// That of theta- for a learner; null when the algorithm does not use it.
StatusOr<std::unique_ptr<NetworkReplica>> MakeTargetReplica(const Config& config,
                                                            const NetworkSpec& network,
                                                            ParameterStore& store);

// What learner `index` draws noise from; its bundle's index in a bundle.
inline RandomStream LearnerRandom(const Config& config, int index) {
  return RandomStream::Derive(config.run.seed, "learner", static_cast<std::uint64_t>(index));
}

// InvalidArgument unless `needed` bytes of replay memory (`what` says what for) fit into
// replay.byte_budget, or into four fifths of this machine's memory when that is 0.
Status CheckReplayBytes(const Config& config, std::int64_t needed, std::string_view what);

}  // namespace gorila

#endif  // GORILA_RUN_AGENT_PARTS_H_
