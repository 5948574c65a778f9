#include "gorila/agent/sarsa.h"

#include <algorithm>

#include "gorila/replay/transition.h"

namespace gorila {
namespace {

double Expectation(std::span<const float> q, double epsilon) {
  double sum = 0;
  for (const float value : q) sum += static_cast<double>(value);
  const auto best = static_cast<double>(*std::max_element(q.begin(), q.end()));
  return (1 - epsilon) * best + epsilon * sum / static_cast<double>(q.size());
}

double TargetOf(const LossBatch& batch, std::size_t i, double value) {
  return static_cast<double>(batch.r_t[i]) + static_cast<double>(batch.discount_t[i]) * value;
}

double ExpectedTarget(const AgentOptions& options, const LossBatch& batch, std::size_t i) {
  // A terminal's value must not matter, not even when it is infinite.
  if (batch.discount_t[i] <= 0) return TargetOf(batch, i, 0);
  return TargetOf(batch, i, Expectation(batch.State(batch.target_t, i), options.policy_epsilon));
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
