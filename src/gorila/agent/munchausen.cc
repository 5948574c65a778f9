#include "gorila/agent/munchausen.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gorila {
namespace {

// tau ln sum_a exp(q_a / tau) = sum_a pi_a (q_a - tau ln pi_a), without overflow for a small tau.
// Over the actions that are allowed.
double SoftValue(std::span<const float> q, AllowedActions allowed, double tau) {
  double most = -std::numeric_limits<double>::infinity();
  for (std::size_t a = 0; a < q.size(); ++a) {
    if (IsAllowed(allowed, a)) most = std::max(most, static_cast<double>(q[a]));
  }
  double sum = 0;
  for (std::size_t a = 0; a < q.size(); ++a) {
    if (IsAllowed(allowed, a)) sum += std::exp((static_cast<double>(q[a]) - most) / tau);
  }
  return most + tau * std::log(sum);
}

double Target(const AgentOptions& options, const LossBatch& batch, std::size_t i) {
  const double tau = options.munchausen_temperature;
  const std::span<const float> q_tm1 = batch.State(batch.target_tm1, i);
  const double log_policy = static_cast<double>(q_tm1[batch.Taken(i)]) -
                            SoftValue(q_tm1, batch.allowed[i], tau);  // tau ln pi
  const double bonus =
      options.munchausen_scale * std::clamp(log_policy, options.munchausen_clip, 0.0);
  const auto discount = static_cast<double>(batch.discount_t[i]);
  // A terminal's value must not matter, not even when it is infinite.
  const double value =
      discount > 0 ? SoftValue(batch.State(batch.target_t, i), batch.allowed[i], tau) : 0;
  return static_cast<double>(batch.r_t[i]) + bonus + discount * value;
}

}  // namespace

double MunchausenLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                      std::span<float> errors) {
  return RegressionLoss(options, batch, &Target, dx, errors);
}

}  // namespace gorila
