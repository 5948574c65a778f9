// The losses of Q-learning as pure functions of q-values: no network, no replay, no state.
#ifndef GORILA_LEARNER_TD_LOSS_H_
#define GORILA_LEARNER_TD_LOSS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

// Q-values are batch x num_actions, row-major; the others have one element a transition.
struct TdBatch {
  int num_actions = 0;
  std::span<const float> q_tm1;  // Q(s_tm1, .; theta)
  std::span<const std::int32_t> a_tm1;
  std::span<const float> r_t;
  std::span<const float> discount_t;    // 0 where the episode ended
  std::span<const float> q_target_t;    // Q(s_t, .; theta-)
  std::span<const float> q_online_t;    // Q(s_t, .; theta); only where the algorithm asks for it
  std::span<const float> weights = {};  // of each transition's loss; empty = 1 each
};

// How a bootstrap target is made. Adding an algorithm: a function, a row, a test.
struct TdAlgorithm {
  std::string_view name;
  std::string_view summary;
  bool needs_q_online_t;
  // The value of s_t for transition i.
  float (*bootstrap)(const TdBatch& batch, std::size_t i);
};
std::span<const TdAlgorithm> TdAlgorithmTable();
// InvalidArgument for an unknown name.
StatusOr<const TdAlgorithm*> FindTdAlgorithm(std::string_view name);

enum class TdErrorLoss {
  kSquared,  // delta^2, the paper's (equation 3); its derivative is 2 delta
  kHuber,    // delta^2 / 2 up to |delta| = 1, then |delta| - 1/2: DQN's clipped TD error
};

enum class BatchReduction { kMean, kSum };  // DQN's code sums over the minibatch

struct TdLossOptions {
  TdErrorLoss loss = TdErrorLoss::kHuber;
  BatchReduction reduction = BatchReduction::kMean;
};

// Writes dL/dq_tm1 (batch x num_actions; zero but at the actions taken) and the TD errors
// delta = target - Q(s_tm1, a_tm1) (batch, unweighted). Returns the weighted loss per transition,
// averaged over the batch whatever the reduction.
double TdLoss(const TdAlgorithm& algorithm, const TdLossOptions& options, const TdBatch& batch,
              std::span<float> dq, std::span<float> td_errors);

}  // namespace gorila

#endif  // GORILA_LEARNER_TD_LOSS_H_
