// QR-DQN (Dabney et al. 2018): the distribution of returns by its quantiles.
#ifndef GORILA_AGENT_QR_DQN_H_
#define GORILA_AGENT_QR_DQN_H_

#include "gorila/agent/loss_batch.h"

namespace gorila {

// Quantile Huber loss with kappa = 1: the sum over predicted quantiles i, each at tau_i = (i + 1/2)
// / N, of the mean over target quantiles (algorithm 1). `errors`: the root of a transition's loss.
double QrDqnLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                 std::span<float> errors);

}  // namespace gorila

#endif  // GORILA_AGENT_QR_DQN_H_
