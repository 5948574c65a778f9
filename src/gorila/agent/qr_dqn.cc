#include "gorila/agent/qr_dqn.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gorila/agent/algorithm.h"

namespace gorila {
namespace {

// The target quantiles of transition i; all the same where the episode ended.
void MakeTargets(const LossBatch& batch, std::size_t i, std::span<float> targets) {
  if (batch.discount_t[i] <= 0) return std::fill(targets.begin(), targets.end(), batch.r_t[i]);
  const std::span<const float> choosing =
      batch.State(batch.online_t.empty() ? batch.target_t : batch.online_t, i);
  const std::span<const float> quantiles =
      batch.Action(batch.target_t, i, BestAction(batch.form, choosing));
  for (std::size_t j = 0; j < targets.size(); ++j) {
    targets[j] = batch.r_t[i] + batch.discount_t[i] * quantiles[j];
  }
}

struct QuantileLoss {
  double loss;   // mean over the targets
  double slope;  // its derivative with respect to the predicted quantile
};

constexpr std::size_t kLanes = 8;

// Sums that the compiler adds up side by side.
struct Lanes {
  std::array<float, kLanes> loss{};
  std::array<float, kLanes> slope{};

  void Add(std::size_t lane, float theta, float tau, float target) {
    const float u = target - theta;
    const float size = std::abs(u);
    const float inside = std::min(size, 1.0F);
    const float share = u < 0 ? 1 - tau : tau;
    loss[lane] += share * inside * (size - 0.5F * inside);
    slope[lane] -= share * (u < 0 ? -inside : inside);
  }
};

QuantileLoss LossOfQuantile(float theta, float tau, std::span<const float> targets) {
  Lanes lanes;
  std::size_t j = 0;
  for (; j + kLanes <= targets.size(); j += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) lanes.Add(k, theta, tau, targets[j + k]);
  }
  for (; j < targets.size(); ++j) lanes.Add(j % kLanes, theta, tau, targets[j]);
  QuantileLoss sum{0, 0};
  for (std::size_t k = 0; k < kLanes; ++k) {
    sum.loss += static_cast<double>(lanes.loss[k]);
    sum.slope += static_cast<double>(lanes.slope[k]);
  }
  const auto count = static_cast<double>(targets.size());
  return {sum.loss / count, sum.slope / count};
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
      const QuantileLoss at = LossOfQuantile(theta[j], tau, targets);
      loss += at.loss;
      derivative[j] = static_cast<float>(scale * at.slope);
    }
    errors[i] = static_cast<float>(std::sqrt(loss));
    total += batch.Weight(i) * loss;
  }
  return total / static_cast<double>(batch.size());
}

}  // namespace gorila
