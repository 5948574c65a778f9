#include "gorila/agent/softmax_policy.h"

#include <algorithm>
#include <cmath>

#include "gorila/agent/action_mask.h"
#include "gorila/base/status.h"

namespace gorila {

void LogSoftmax(std::span<const float> logits, std::span<float> log_probabilities) {
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit - most));
  const auto log_sum = static_cast<float>(std::log(sum));
  for (std::size_t a = 0; a < logits.size(); ++a) {
    log_probabilities[a] = logits[a] - most - log_sum;
  }
}

float DecodePolicy(std::span<const float> outputs, std::span<float> probabilities) {
  LogSoftmax(outputs.first(probabilities.size()), probabilities);
  for (float& probability : probabilities) probability = std::exp(probability);
  return outputs[probabilities.size()];
}

int SoftmaxPolicy::Choose(std::span<const float> probabilities, RandomStream& random) const {
  if (act_by_ == ActBy::kArgmax) {
    return static_cast<int>(std::max_element(probabilities.begin(), probabilities.end()) -
                            probabilities.begin());
  }
  // Rounding may leave a little to the last action that can be.
  double left = random.Uniform();
  int last = 0;
  for (std::size_t action = 0; action < probabilities.size(); ++action) {
    if (probabilities[action] == 0) continue;
    last = static_cast<int>(action);
    left -= static_cast<double>(probabilities[action]);
    if (left < 0) break;
  }
  return last;
}

void SoftmaxPolicy::Act(const ActInput& input, ActOutput& output) {
  const std::size_t count = input.environments.size();
  const auto actions = static_cast<std::size_t>(network_.spec().num_actions);
  const auto width = static_cast<std::size_t>(network_.spec().outputs());
  GORILA_CHECK(
      count > 0 && input.observations.size() == count * network_.spec().input.stacked_bytes(),
      "{} bytes of {} environments", input.observations.size(), count);
  outputs_.resize(count * width);
  log_probabilities_.resize(actions);
  output.actions.resize(count);
  output.explored.resize(count);
  output.log_probabilities.resize(count);
  output.values.resize(count * actions);
  TakeGames(input, games_);
  network_.UseGames(games_);
  network_.Predict(input.observations, static_cast<int>(count), outputs_);
  for (std::size_t i = 0; i < count; ++i) {
    const AllowedActions allowed =
        ActionsOfGame(network_.spec().game_actions, input.environments[i].game);
    FillForbidden(allowed, kNever, std::span(outputs_).subspan(i * width, actions));
    const std::span<float> probabilities = std::span(output.values).subspan(i * actions, actions);
    LogSoftmax(std::span(outputs_).subspan(i * width, actions), log_probabilities_);
    std::transform(log_probabilities_.begin(), log_probabilities_.end(), probabilities.begin(),
                   [](float log_p) { return std::exp(log_p); });
    const ActingEnvironment& acting = input.environments[i];
    const bool explores = acting.epsilon > 0 && acting.random->Uniform() < acting.epsilon;
    const int action = explores ? DrawAllowed(allowed, static_cast<int>(actions), *acting.random)
                                : Choose(probabilities, *acting.random);
    output.explored[i] = explores ? 1 : 0;
    output.actions[i] = action;
    const auto taken = static_cast<std::size_t>(action);
    output.log_probabilities[i] =
        acting.epsilon > 0 ? static_cast<float>(std::log(
                                 (1 - acting.epsilon) * static_cast<double>(probabilities[taken]) +
                                 acting.epsilon / NumAllowed(allowed, static_cast<int>(actions))))
                           : log_probabilities_[taken];
    // Rounding may leave a little above 0.
    if (output.log_probabilities[i] > 0) output.log_probabilities[i] = 0;
  }
}

}  // namespace gorila
