// The policy of all that acts by values (paper section 4.2, step a): a random action with
// probability epsilon, else the best.
#ifndef GORILA_AGENT_EPSILON_GREEDY_POLICY_H_
#define GORILA_AGENT_EPSILON_GREEDY_POLICY_H_

#include <vector>

#include "gorila/agent/policy.h"
#include "gorila/agent/value_form.h"
#include "gorila/network/q_network.h"

namespace gorila {

// Of actions with the same value the first is taken; values are Q-values, minus infinity of actions
// that the environment's game lacks. One forward pass for all
// environments, none when all of them explore and nobody looks.
class EpsilonGreedyPolicy final : public Policy {
 public:
  // Borrows the network, which must outlive it and be made for as many rows as there are
  // environments.
  // With an output for each action, its value.
  explicit EpsilonGreedyPolicy(QNetwork& network)
      : EpsilonGreedyPolicy(network, {.num_actions = network.spec().num_actions}) {}
  // `form`: what the network's outputs mean.
  EpsilonGreedyPolicy(QNetwork& network, const ValueForm& form) : network_(network), form_(form) {}

  void Act(const ActInput& input, ActOutput& output) override;

 private:
  void ComputeValues(const ActInput& input, std::span<float> values);

  QNetwork& network_;
  const ValueForm form_;
  std::vector<std::int32_t> games_;  // of all environments
  std::vector<float> outputs_;       // of all environments, where they are not yet values
  std::vector<float> x_;             // the same
};

}  // namespace gorila

#endif  // GORILA_AGENT_EPSILON_GREEDY_POLICY_H_
