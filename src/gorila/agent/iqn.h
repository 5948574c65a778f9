// Implicit quantile networks (Dabney et al. 2018b): the quantile function of returns, sampled at
// random taus.
#ifndef GORILA_AGENT_IQN_H_
#define GORILA_AGENT_IQN_H_

#include <memory>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/loss_batch.h"

namespace gorila {

// Quantile Huber loss with kappa = 1 of samples of the quantile function (equation 3): the sum over
// the predicted ones, each at its `taus` (batch x form.atoms), of the mean over the targets.
// `batch.form` is ValueKind::kSampled; the action of s_t is chosen by the samples in
// `batch.online_t`, which are not those of the target. `errors`: the root of a transition's loss.
double IqnLoss(const AgentOptions& options, const LossBatch& batch, std::span<const float> taus,
               std::span<float> dx, std::span<float> errors);

ValueForm MakeIqnForm(const AgentOptions& options, int num_actions);

void DescribeIqnNetwork(const AgentOptions& options, NetworkSpec& network);

// Every pass of a network has taus of its own, drawn for each transition: theta at s_tm1, theta- at
// s_t, and what chooses the action of s_t (theta-; theta with double selection).
std::unique_ptr<Loss> MakeIqnLoss(const AgentOptions& options, const NetworkSpec& network,
                                  int batch_size);

}  // namespace gorila

#endif  // GORILA_AGENT_IQN_H_
