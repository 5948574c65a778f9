#include "gorila/agent/policy.h"

#include "gorila/agent/epsilon_greedy_policy.h"

namespace gorila {

std::unique_ptr<Policy> MakePolicy(QNetwork& network) {
  return std::make_unique<EpsilonGreedyPolicy>(network);
}

}  // namespace gorila
