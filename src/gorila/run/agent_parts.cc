#include "gorila/run/agent_parts.h"

#include <algorithm>
#include <utility>

#include "gorila/agent/algorithm.h"
#include "gorila/base/machine_memory.h"
#include "gorila/base/saturating.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

StatusOr<std::unique_ptr<EnvironmentFactory>> MakeGameFactory(const Config& config, int game) {
  const EnvironmentSection environment = OneGame(config, game).environment;
  EnvironmentOptions options = environment.options;
  options.external.exact = config.run.deterministic;
  return MakeEnvironmentFactory(environment.name, options);
}

int MaxBatch(const Config& config) {
  const LearnerOptions& learner = config.learner;
  return std::max(config.actor.environments, StatesOfMinibatch(learner.agent, learner.batch_size));
}

}  // namespace

StatusOr<std::vector<std::unique_ptr<Environment>>> MakeActorEnvironments(const Config& config,
                                                                          int actor) {
  std::vector<std::unique_ptr<Environment>> environments;
  const int count = config.actor.environments;
  const int games = NumGames(config);
  std::vector<std::unique_ptr<EnvironmentFactory>> factories(static_cast<std::size_t>(games));
  for (int i = 0; i < count; ++i) {
    const int index = actor * count + i;
    const int game = GameOfEnvironment(index, games);
    std::unique_ptr<EnvironmentFactory>& factory = factories[static_cast<std::size_t>(game)];
    if (factory == nullptr) {
      GORILA_ASSIGN_OR_RETURN(factory, MakeGameFactory(config, game));
    }
    GORILA_ASSIGN_OR_RETURN(
        std::unique_ptr<Environment> environment,
        factory->Make(MakeRandomDraws(RandomStream::Derive(config.run.seed, "environment",
                                                           static_cast<std::uint64_t>(index)))));
    environments.push_back(std::move(environment));
  }
  return environments;
}

StatusOr<std::unique_ptr<NetworkReplica>> MakeReplica(
    const Config& config, const NetworkSpec& network, ParameterStore& store,
    NetworkReplica::Follows follows, std::string_view device, NetworkGroup* group) {
  const bool target = follows == NetworkReplica::Follows::kTarget;
  const std::string_view backend = device == "cpu" ? CpuBackend(config) : config.network.backend;
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<QNetwork> q_network,
                          group != nullptr
                              ? group->MakeNetwork(target)
                              : MakeQNetwork(backend, network, MaxBatch(config), device));
  const int fetch_every = target ? 1 : config.learner.fetch_every;
  return std::make_unique<NetworkReplica>(std::move(q_network), store, follows, fetch_every);
}

StatusOr<std::unique_ptr<NetworkReplica>> MakeTargetReplica(const Config& config,
                                                            const NetworkSpec& network,
                                                            ParameterStore& store,
                                                            NetworkGroup* group) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row,
                          FindAlgorithm(config.learner.agent.algorithm));
  if (!row->uses_target) return std::unique_ptr<NetworkReplica>();
  return MakeReplica(config, network, store, NetworkReplica::Follows::kTarget,
                     config.network.device, group);
}

NetworkGroupOptions GroupOptionsOf(const Config& config, std::uint64_t client) {
  return {.members = config.learner.members,
          .backend = CpuBackend(config),
          .max_batch = MaxBatch(config),
          .client = client};
}

Status CheckReplayBytes(const Config& config, std::int64_t needed, std::string_view what) {
  const std::int64_t memory = MachineMemoryBytes();
  const bool given = config.replay.byte_budget > 0;
  const std::int64_t budget = given ? config.replay.byte_budget : memory / 5 * 4;
  if (given && budget > memory) {
    return InvalidArgument("replay.byte_budget is {} bytes; this machine has {} bytes of memory",
                           budget, memory);
  }
  if (needed <= budget) return OkStatus();
  return InvalidArgument(
      "replay memory would take {} bytes ({}); expected at most {} bytes ({}); lower "
      "replay.capacity "
      "or the number of memories",
      needed, what, budget,
      given ? "replay.byte_budget" : "four fifths of the memory of this machine or container");
}

}  // namespace gorila
