// What follows from a configuration: the network, the shards' options, the parameters to begin
// with.
#ifndef GORILA_CONFIG_RESOLVE_H_
#define GORILA_CONFIG_RESOLVE_H_

#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/network/parameter_layout.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {

// What the environment and configuration make of the network. InvalidArgument names the key.
StatusOr<NetworkSpec> ResolveNetwork(const Config& config);

// Asks an environment that is not ours what it is like, and writes the answer into the
// configuration (environment.record), unless it is there; paths become absolute, so that the run
// can be resumed from any folder. Starts it, and may block for environment.start_seconds. Does
// nothing for our own. Gives what the user should know, empty when nothing. InvalidArgument when
// the environment cannot be used, or does not repeat itself and the run is deterministic.
StatusOr<std::string> RecordEnvironment(Config& config);

// [parameter_server] and [optimizer] with what follows from the run's length filled in.
ShardOptions ResolveShardOptions(const Config& config);

// [learner] with what follows from the run's length filled in.
LearnerOptions ResolveLearnerOptions(const Config& config);

// Whether the network gives probabilities of actions, not values.
bool ActsByPolicy(const Config& config);

// How evaluations, films, players and the library act: an algorithm without a policy always by
// argmax.
ActBy ResolveActBy(const Config& config);

// [actor] with what the replay wants to know of its rows.
ActorOptions ResolveActorOptions(const Config& config);

// What a minibatch takes from a queue, transitions or unrolls; the rest of it was drawn before.
int FreshInMinibatch(const Config& config);

// [replay] with what a minibatch takes.
LocalReplayOptions ResolveReplayOptions(const Config& config);

// What every parameter server of this run begins with.
std::vector<float> RunInitialParameters(const Config& config, const ParameterLayout& layout);

// The backend of what computes on the CPU whatever network.device says (actors of their own,
// evaluations): network.backend, or while that computes on a GPU the fastest here, so that neither
// libtorch nor a GPU is needed where there is no learner.
inline std::string_view CpuBackend(const Config& config) {
  return config.network.device == "cpu" ? std::string_view(config.network.backend) : "auto";
}

}  // namespace gorila

#endif  // GORILA_CONFIG_RESOLVE_H_
