// Sarsa (Rummery & Niranjan 1994) and expected Sarsa (van Seijen et al. 2009): the values of the
// policy that acts. Through a parameter server with sparse gradients this is Parallel Sarsa
// (Grounds & Kudenko 2008), which the paper names as its closest relative.
#ifndef GORILA_AGENT_SARSA_H_
#define GORILA_AGENT_SARSA_H_

#include "gorila/agent/loss_batch.h"

namespace gorila {

// Target r_t + discount_t Q(s_t, a_t; theta-). At a time-out no action was taken: then the policy's
// expectation, as in ExpectedSarsaLoss. `errors`: |target - Q(s_tm1, a_tm1)|.
double SarsaLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                 std::span<float> errors);

// Target r_t + discount_t sum_a pi(a|s_t) Q(s_t, a; theta-), pi epsilon-greedy with policy_epsilon.
double ExpectedSarsaLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                         std::span<float> errors);

}  // namespace gorila

#endif  // GORILA_AGENT_SARSA_H_
