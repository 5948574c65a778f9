// The policy of all that learns a distribution over actions.
#ifndef GORILA_AGENT_SOFTMAX_POLICY_H_
#define GORILA_AGENT_SOFTMAX_POLICY_H_

#include <limits>
#include <span>
#include <vector>

#include "gorila/agent/policy.h"
#include "gorila/network/q_network.h"

namespace gorila {

// The logit of an action that is never taken.
inline constexpr float kNever = -std::numeric_limits<float>::infinity();

// ln softmax(logits), without overflow. Both of one state; at least one is not kNever.
void LogSoftmax(std::span<const float> logits, std::span<float> log_probabilities);

// Of one state, from the outputs of a network of ValueKind::kPolicy: the probability of each
// action. Gives the state's value.
float DecodePolicy(std::span<const float> outputs, std::span<float> probabilities);

// Samples an action from the softmax of the network's first outputs, one for each action, or takes
// the most likely one (of several the first); with probability epsilon a random one instead, which
// its log-probability takes into account. Values are probabilities, 0 of actions that the
// environment's game lacks.
class SoftmaxPolicy final : public Policy {
 public:
  // Borrows the network, which must outlive it and be made for as many observations as there are
  // environments.
  SoftmaxPolicy(QNetwork& network, ActBy act_by) : network_(network), act_by_(act_by) {}

  void Act(const ActInput& input, ActOutput& output) override;

 private:
  int Choose(std::span<const float> probabilities, RandomStream& random) const;

  QNetwork& network_;
  const ActBy act_by_;
  std::vector<std::int32_t> games_;       // of all environments
  std::vector<float> outputs_;            // of all environments
  std::vector<float> log_probabilities_;  // of one
};

}  // namespace gorila

#endif  // GORILA_AGENT_SOFTMAX_POLICY_H_
