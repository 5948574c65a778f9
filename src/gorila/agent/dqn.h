// DQN (Mnih et al. 2015; the paper's equation 3) and double DQN (van Hasselt et al. 2016).
#ifndef GORILA_AGENT_DQN_H_
#define GORILA_AGENT_DQN_H_

#include "gorila/agent/loss_batch.h"

namespace gorila {

// Target r_t + discount_t max_a Q(s_t, a; theta-); with LossBatch::online_t the action is theta's
// choice. `errors`: |target - Q(s_tm1, a_tm1)|.
double DqnLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
               std::span<float> errors);

}  // namespace gorila

#endif  // GORILA_AGENT_DQN_H_
