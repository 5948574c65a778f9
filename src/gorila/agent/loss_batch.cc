#include "gorila/agent/loss_batch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gorila {

std::size_t BestAction(const ValueForm& form, std::span<const float> x) {
  if (form.atoms == 1) {
    return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
  }
  std::size_t best = 0;
  float most = -std::numeric_limits<float>::infinity();
  for (std::size_t a = 0; a < static_cast<std::size_t>(form.num_actions); ++a) {
    const float value = ActionValue(form, x, a);
    if (value <= most) continue;
    most = value;
    best = a;
  }
  return best;
}

LossAndSlope TdErrorLossOf(TdErrorLoss kind, double delta) {
  if (kind == TdErrorLoss::kSquared) return {delta * delta, 2 * delta};
  const double size = std::abs(delta);
  if (size <= 1) return {0.5 * delta * delta, delta};
  return {size - 0.5, delta > 0 ? 1.0 : -1.0};
}

}  // namespace gorila
