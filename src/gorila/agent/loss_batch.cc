#include "gorila/agent/loss_batch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gorila {
namespace {

// The derivative of a TD error's loss.
struct LossAndSlope {
  double loss;
  double slope;  // dL/d(delta)
};

LossAndSlope TdErrorLossOf(TdErrorLoss kind, double delta) {
  if (kind == TdErrorLoss::kSquared) return {delta * delta, 2 * delta};
  const double size = std::abs(delta);
  if (size <= 1) return {0.5 * delta * delta, delta};
  return {size - 0.5, delta > 0 ? 1.0 : -1.0};
}

}  // namespace

std::size_t BestAction(const ValueForm& form, std::span<const float> x, AllowedActions allowed) {
  if (form.atoms == 1 && allowed.empty()) {
    return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
  }
  const auto actions = static_cast<std::size_t>(form.num_actions);
  std::size_t best = 0;
  while (!IsAllowed(allowed, best)) ++best;
  float most = -std::numeric_limits<float>::infinity();
  for (std::size_t a = best; a < actions; ++a) {
    if (!IsAllowed(allowed, a)) continue;
    const float value = ActionValue(form, x, a);
    if (value <= most) continue;
    most = value;
    best = a;
  }
  return best;
}

double RegressionLoss(const AgentOptions& options, const LossBatch& batch, TargetFunction target,
                      std::span<float> dx, std::span<float> errors) {
  std::fill(dx.begin(), dx.end(), 0.0F);
  double total = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t taken = i * batch.actions() + batch.Taken(i);
    const double delta = target(options, batch, i) - static_cast<double>(batch.online_tm1[taken]);
    const LossAndSlope at = TdErrorLossOf(options.loss, delta);
    errors[i] = std::abs(static_cast<float>(delta));
    dx[taken] = static_cast<float>(-batch.Scale(options.reduction, i) * at.slope);
    total += batch.Weight(i) * at.loss;
  }
  return total / static_cast<double>(batch.size());
}

}  // namespace gorila
