#include "gorila/evaluation/playing_agent.h"

#include "gorila/agent/algorithm.h"
#include "gorila/config/resolve.h"

namespace gorila {

StatusOr<PlayingAgent> MakePlayingAgent(const Config& config, int environments) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(config));
  PlayingAgent agent;
  GORILA_ASSIGN_OR_RETURN(agent.network, MakeQNetwork(CpuBackend(config), spec, environments));
  GORILA_ASSIGN_OR_RETURN(agent.policy,
                          MakePolicy(config.learner.agent, *agent.network, ResolveActBy(config)));
  agent.is_policy = ActsByPolicy(config);
  agent.act_by = ResolveActBy(config);
  return agent;
}

}  // namespace gorila
