#include "gorila/learner/td_loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "gorila/base/nearest.h"

namespace gorila {
namespace {

std::span<const float> Row(std::span<const float> q, const TdBatch& batch, std::size_t i) {
  const auto actions = static_cast<std::size_t>(batch.num_actions);
  return q.subspan(i * actions, actions);
}

// Mnih et al. 2015; Gorila section 2: max_a Q(s_t, a; theta-).
float DqnBootstrap(const TdBatch& batch, std::size_t i) {
  const std::span<const float> q = Row(batch.q_target_t, batch, i);
  return *std::max_element(q.begin(), q.end());
}

// van Hasselt et al. 2016: the online network chooses the action, the target network values it.
float DoubleDqnBootstrap(const TdBatch& batch, std::size_t i) {
  const std::span<const float> q = Row(batch.q_online_t, batch, i);
  const auto best = static_cast<std::size_t>(std::max_element(q.begin(), q.end()) - q.begin());
  return Row(batch.q_target_t, batch, i)[best];
}

constexpr std::array kAlgorithms = {
    TdAlgorithm{"dqn", "max over the target network's values (the paper's)", false, &DqnBootstrap},
    TdAlgorithm{"double_dqn", "the online network's action, valued by the target network", true,
                &DoubleDqnBootstrap},
};

struct LossAndSlope {
  double loss;
  double slope;  // dL/d(delta)
};

LossAndSlope Evaluate(TdErrorLoss kind, double delta) {
  if (kind == TdErrorLoss::kSquared) return {delta * delta, 2 * delta};
  const double size = std::abs(delta);
  if (size <= 1) return {0.5 * delta * delta, delta};
  return {size - 0.5, delta > 0 ? 1.0 : -1.0};
}

}  // namespace

std::span<const TdAlgorithm> TdAlgorithmTable() { return kAlgorithms; }

StatusOr<const TdAlgorithm*> FindTdAlgorithm(std::string_view name) {
  std::vector<std::string_view> names;
  for (const TdAlgorithm& algorithm : kAlgorithms) {
    if (algorithm.name == name) return &algorithm;
    names.push_back(algorithm.name);
  }
  return InvalidArgument("learner.algorithm is '{}'; expected one of {}; did you mean '{}'?", name,
                         fmt::join(names, ", "), NearestName(name, names));
}

double TdLoss(const TdAlgorithm& algorithm, const TdLossOptions& options, const TdBatch& batch,
              std::span<float> dq, std::span<float> td_errors) {
  const std::size_t size = batch.a_tm1.size();
  const auto actions = static_cast<std::size_t>(batch.num_actions);
  const double weight =
      options.reduction == BatchReduction::kMean ? 1.0 / static_cast<double>(size) : 1.0;
  std::fill(dq.begin(), dq.end(), 0.0f);
  double total = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t taken = i * actions + static_cast<std::size_t>(batch.a_tm1[i]);
    // A terminal's value must not matter, not even when it is infinite.
    const float value_t = batch.discount_t[i] > 0 ? algorithm.bootstrap(batch, i) : 0.0f;
    const double target = static_cast<double>(batch.r_t[i]) +
                          static_cast<double>(batch.discount_t[i]) * static_cast<double>(value_t);
    const double delta = target - static_cast<double>(batch.q_tm1[taken]);
    const LossAndSlope at = Evaluate(options.loss, delta);
    const double importance = batch.weights.empty() ? 1 : static_cast<double>(batch.weights[i]);
    td_errors[i] = static_cast<float>(delta);
    dq[taken] = static_cast<float>(-weight * importance * at.slope);
    total += importance * at.loss;
  }
  return total / static_cast<double>(size);
}

}  // namespace gorila
