#include "gorila/runtime/agent_parts.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/base/control_groups.h"
#include "gorila/env/registry.h"
#include "gorila/runtime/cluster.h"

namespace gorila {

StatusOr<std::vector<std::unique_ptr<Environment>>> MakeActorEnvironments(const Config& config,
                                                                          int actor) {
  std::vector<std::unique_ptr<Environment>> environments;
  const int count = config.actor.environments;
  for (int i = 0; i < count; ++i) {
    const auto stream = static_cast<std::uint64_t>(actor) * static_cast<std::uint64_t>(count) +
                        static_cast<std::uint64_t>(i);
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Environment> environment,
                            MakeEnvironment(config.environment.name, config.environment.options,
                                            MakeRandomDraws(RandomStream::Derive(
                                                config.run.seed, "environment", stream))));
    environments.push_back(std::move(environment));
  }
  return environments;
}

StatusOr<std::unique_ptr<NetworkReplica>> MakeReplica(const Config& config,
                                                      const NetworkSpec& network,
                                                      ParameterStore& store,
                                                      NetworkReplica::Follows follows,
                                                      std::string_view device) {
  const int max_batch = std::max(config.actor.environments, config.learner.batch_size);
  const std::string_view backend = device == "cpu" ? CpuBackend(config) : config.network.backend;
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<QNetwork> q_network,
                          MakeQNetwork(backend, network, max_batch, device));
  return std::make_unique<NetworkReplica>(std::move(q_network), store, follows);
}

std::unique_ptr<Policy> MakePolicy(QNetwork& network) {
  return std::make_unique<EpsilonGreedyPolicy>(network);
}

StatusOr<PlayingAgent> MakePlayingAgent(const Config& config, int environments) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(config));
  PlayingAgent agent;
  GORILA_ASSIGN_OR_RETURN(agent.network, MakeQNetwork(CpuBackend(config), spec, environments));
  agent.policy = MakePolicy(*agent.network);
  return agent;
}

std::int64_t MachineMemoryBytes() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return std::numeric_limits<std::int64_t>::max();
  return std::min(ReadGroupLimits().memory_bytes, static_cast<std::int64_t>(info.totalram) *
                                                      static_cast<std::int64_t>(info.mem_unit));
}

std::int64_t SaturatingProduct(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::numeric_limits<std::int64_t>::max();
  return product;
}

std::int64_t SaturatingSum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::numeric_limits<std::int64_t>::max();
  return sum;
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
