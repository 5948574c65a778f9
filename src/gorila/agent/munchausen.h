// Munchausen DQN (Vieillard et al. 2020): soft values, and the logarithm of the policy as a reward.
#ifndef GORILA_AGENT_MUNCHAUSEN_H_
#define GORILA_AGENT_MUNCHAUSEN_H_

#include "gorila/agent/loss_batch.h"

namespace gorila {

// Target r_t + alpha max(tau ln pi(a_tm1|s_tm1), clip) + discount_t sum_a pi(a|s_t) (Q(s_t, a) -
// tau ln pi(a|s_t)), pi = softmax(Q / tau), all of theta-. With n steps the bonus is the first's.
// Needs LossBatch::target_tm1. `errors`: |target - Q(s_tm1, a_tm1)|.
double MunchausenLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                      std::span<float> errors);

}  // namespace gorila

#endif  // GORILA_AGENT_MUNCHAUSEN_H_
