#include "gorila/agent/sarsa.h"

#include <algorithm>
#include <limits>

#include "gorila/replay/transition.h"

namespace gorila {
namespace {

// Over the actions that are allowed.
double Expectation(std::span<const float> q, AllowedActions allowed, double epsilon) {
  double sum = 0;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t a = 0; a < q.size(); ++a) {
    if (!IsAllowed(allowed, a)) continue;
    sum += static_cast<double>(q[a]);
    best = std::max(best, static_cast<double>(q[a]));
  }
  const int count = NumAllowed(allowed, static_cast<int>(q.size()));
  return (1 - epsilon) * best + epsilon * sum / count;
}

double TargetOf(const LossBatch& batch, std::size_t i, double value) {
  return static_cast<double>(batch.r_t[i]) + static_cast<double>(batch.discount_t[i]) * value;
}

double ExpectedTarget(const AgentOptions& options, const LossBatch& batch, std::size_t i) {
  // A terminal's value must not matter, not even when it is infinite.
  if (batch.discount_t[i] <= 0) return TargetOf(batch, i, 0);
  return TargetOf(
      batch, i,
      Expectation(batch.State(batch.target_t, i), batch.allowed[i], options.policy_epsilon));
}

double SampledTarget(const AgentOptions& options, const LossBatch& batch, std::size_t i) {
  if (batch.discount_t[i] <= 0 || batch.a_t[i] == kNoAction) {
    return ExpectedTarget(options, batch, i);
  }
  const auto action = static_cast<std::size_t>(batch.a_t[i]);
  return TargetOf(batch, i, static_cast<double>(batch.State(batch.target_t, i)[action]));
}

}  // namespace

double SarsaLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                 std::span<float> errors) {
  return RegressionLoss(options, batch, &SampledTarget, dx, errors);
}

double ExpectedSarsaLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                         std::span<float> errors) {
  return RegressionLoss(options, batch, &ExpectedTarget, dx, errors);
}

}  // namespace gorila
