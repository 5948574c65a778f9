#include "gorila/agent/dqn.h"

#include "gorila/agent/value_scale.h"

namespace gorila {
namespace {

// The target network's value of the action that is best to it or, in double DQN, to the online one.
float Bootstrap(const LossBatch& batch, std::size_t i) {
  const std::span<const float> values = batch.State(batch.target_t, i);
  const std::span<const float> choosing =
      batch.online_t.empty() ? values : batch.State(batch.online_t, i);
  return values[BestAction(batch.form, choosing, batch.allowed[i])];
}

double Target(const AgentOptions& options, const LossBatch& batch, std::size_t i) {
  const auto reward = static_cast<double>(batch.r_t[i]);
  const auto discount = static_cast<double>(batch.discount_t[i]);
  // A terminal's value must not matter, not even when it is infinite.
  const auto value = static_cast<double>(discount > 0 ? Bootstrap(batch, i) : 0.0F);
  if (!options.value_rescaling) return reward + discount * value;
  return RescaleValue(reward + discount * UnscaleValue(value));
}

}  // namespace

double DqnLoss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
               std::span<float> errors) {
  return RegressionLoss(options, batch, &Target, dx, errors);
}

}  // namespace gorila
