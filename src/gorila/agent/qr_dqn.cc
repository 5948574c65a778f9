#include "gorila/agent/qr_dqn.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/atom_math.h"

namespace gorila {
namespace {

// The target quantiles of transition i; all the same where the episode ended.
void MakeTargets(const LossBatch& batch, std::size_t i, std::span<float> targets) {
  if (batch.discount_t[i] <= 0) return std::fill(targets.begin(), targets.end(), batch.r_t[i]);
  const std::span<const float> choosing =
      batch.State(batch.online_t.empty() ? batch.target_t : batch.online_t, i);
  const std::span<const float> quantiles =
      batch.Action(batch.target_t, i, BestAction(batch.form, choosing, batch.allowed[i]));
  for (std::size_t j = 0; j < targets.size(); ++j) {
    targets[j] = batch.r_t[i] + batch.discount_t[i] * quantiles[j];
  }
}

}  // namespace

double QrDqnLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                 std::span<float> errors) {
  std::fill(dx.begin(), dx.end(), 0.0F);
  std::array<float, kMostAtoms> room;
  const std::span<float> targets = std::span(room).first(batch.atoms());
  double total = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    MakeTargets(batch, i, targets);
    const std::span<const float> theta = batch.Action(batch.online_tm1, i, batch.Taken(i));
    const double scale = batch.Scale(options.reduction, i);
    float* const derivative = &dx[i * batch.form.size() + batch.Taken(i) * batch.atoms()];
    double loss = 0;
    for (std::size_t j = 0; j < theta.size(); ++j) {
      const auto tau = (static_cast<float>(j) + 0.5F) / static_cast<float>(theta.size());
      const QuantileLoss at = QuantileHuberLoss(theta[j], tau, targets.data(), targets.size());
      loss += static_cast<double>(at.loss);
      derivative[j] = static_cast<float>(scale * static_cast<double>(at.slope));
    }
    errors[i] = static_cast<float>(std::sqrt(loss));
    total += batch.Weight(i) * loss;
  }
  return total / static_cast<double>(batch.size());
}

}  // namespace gorila
