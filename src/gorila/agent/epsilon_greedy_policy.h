// DQN's policy (paper section 4.2, step a): a random action with probability epsilon, else the
// best.
#ifndef GORILA_AGENT_EPSILON_GREEDY_POLICY_H_
#define GORILA_AGENT_EPSILON_GREEDY_POLICY_H_

#include "gorila/agent/policy.h"
#include "gorila/network/q_network.h"

namespace gorila {

// Of actions with the same value the first is taken; values are Q-values. One forward pass for all
// environments, none when all of them explore and nobody looks.
class EpsilonGreedyPolicy final : public Policy {
 public:
  // Borrows the network, which must outlive it and be made for as many rows as there are
  // environments.
  explicit EpsilonGreedyPolicy(QNetwork& network) : network_(network) {}

  void Act(const ActInput& input, ActOutput& output) override;

 private:
  QNetwork& network_;
};

}  // namespace gorila

#endif  // GORILA_AGENT_EPSILON_GREEDY_POLICY_H_
