#include "gorila/agent/sarsa.h"

#include <algorithm>
#include <cmath>

#include "gorila/replay/transition.h"

namespace gorila {
namespace {

double Expectation(std::span<const float> q, double epsilon) {
  double sum = 0;
  for (const float value : q) sum += static_cast<double>(value);
  const auto best = static_cast<double>(*std::max_element(q.begin(), q.end()));
  return (1 - epsilon) * best + epsilon * sum / static_cast<double>(q.size());
}

double Value(const AgentOptions& options, const LossBatch& batch, std::size_t i, bool sampled) {
  const std::span<const float> q = batch.State(batch.target_t, i);
  const std::int32_t action = sampled ? batch.a_t[i] : kNoAction;
  if (action == kNoAction) return Expectation(q, options.policy_epsilon);
  return static_cast<double>(q[static_cast<std::size_t>(action)]);
}

double LossOf(const AgentOptions& options, const LossBatch& batch, bool sampled,
              std::span<float> dx, std::span<float> errors) {
  std::fill(dx.begin(), dx.end(), 0.0F);
  double total = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t taken = i * batch.actions() + batch.Taken(i);
    const auto discount = static_cast<double>(batch.discount_t[i]);
    // A terminal's value must not matter, not even when it is infinite.
    const double value = discount > 0 ? Value(options, batch, i, sampled) : 0;
    const double delta = static_cast<double>(batch.r_t[i]) + discount * value -
                         static_cast<double>(batch.online_tm1[taken]);
    const LossAndSlope at = TdErrorLossOf(options.loss, delta);
    errors[i] = static_cast<float>(std::abs(delta));
    dx[taken] = static_cast<float>(-batch.Scale(options.reduction, i) * at.slope);
    total += batch.Weight(i) * at.loss;
  }
  return total / static_cast<double>(batch.size());
}

}  // namespace

double SarsaLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                 std::span<float> errors) {
  return LossOf(options, batch, /*sampled=*/true, dx, errors);
}

double ExpectedSarsaLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                         std::span<float> errors) {
  return LossOf(options, batch, /*sampled=*/false, dx, errors);
}

}  // namespace gorila
