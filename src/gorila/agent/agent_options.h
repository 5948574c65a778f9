// Settings of an agent: the algorithm and what its family can combine.
#ifndef GORILA_AGENT_AGENT_OPTIONS_H_
#define GORILA_AGENT_AGENT_OPTIONS_H_

#include <string>

namespace gorila {

// Of the algorithms that regress one value for each action.
enum class TdErrorLoss {
  kSquared,  // delta^2, the paper's (equation 3); its derivative is 2 delta
  kHuber,    // delta^2 / 2 up to |delta| = 1, then |delta| - 1/2: DQN's clipped TD error
};

enum class BatchReduction { kMean, kSum };  // DQN's code sums over the minibatch

struct AgentOptions {
  std::string algorithm = "double_dqn";  // a row of AlgorithmTable()
  TdErrorLoss loss = TdErrorLoss::kHuber;
  BatchReduction reduction = BatchReduction::kMean;
  // c51, qr_dqn, iqn: theta chooses the action of s_t, as in double_dqn, and not theta-.
  bool double_selection = false;
  int atoms = 51;                 // c51: atoms of an action's distribution; qr_dqn: its quantiles
  double value_min = -10;         // c51: the lowest atom
  double value_max = 10;          // c51: the highest
  int taus = 8;                   // iqn: samples of an action's quantile function in each pass
  double munchausen_scale = 0.9;  // alpha of tau ln pi(a|s) in the reward
  double munchausen_temperature = 0.03;  // tau
  double munchausen_clip = -1;           // the least that tau ln pi may be
  bool value_rescaling = false;          // dqn, double_dqn: values are h(value) (value_scale.h)
  bool dueling = false;                  // the output layer has an advantage and a value head
  // Of the policy whose values sarsa and expected_sarsa learn, where its action is not known.
  double policy_epsilon = 0;
  double noise = 0;  // sigma_0 of noisy layers; 0 = none
  // vtrace:
  int unroll = 20;             // T, time steps of an unroll
  double rho_clip = 1;         // rho-bar: the most that pi/mu counts in what is learnt
  double trace_clip = 1;       // c-bar: the most that it counts in how far back it reaches
  double trace_decay = 1;      // lambda
  double entropy_cost = 0.01;  // weighs the policy's entropy, which is kept high
  double baseline_cost = 0.5;  // weighs the value's squared error

  bool operator==(const AgentOptions&) const = default;
};

}  // namespace gorila

#endif  // GORILA_AGENT_AGENT_OPTIONS_H_
