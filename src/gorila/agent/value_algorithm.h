// What the algorithms that act by action values have in common: one loss function, one form of
// outputs, epsilon-greedy acting.
#ifndef GORILA_AGENT_VALUE_ALGORITHM_H_
#define GORILA_AGENT_VALUE_ALGORITHM_H_

#include <memory>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/loss_batch.h"

namespace gorila {

struct ValueAlgorithm {
  ValueKind kind = ValueKind::kExpectation;
  LossFunction loss = nullptr;
  bool selects_online = false;    // whether theta always chooses the action of s_t
  bool needs_target_tm1 = false;  // LossBatch::target_tm1
};

ValueForm MakeValueForm(const ValueAlgorithm& algorithm, const AgentOptions& options,
                        int num_actions);

void DescribeValueNetwork(const ValueAlgorithm& algorithm, const AgentOptions& options,
                          NetworkSpec& network);

std::unique_ptr<Loss> MakeValueLoss(const ValueAlgorithm& algorithm, const AgentOptions& options,
                                    const NetworkSpec& network, int batch_size);

}  // namespace gorila

#endif  // GORILA_AGENT_VALUE_ALGORITHM_H_
