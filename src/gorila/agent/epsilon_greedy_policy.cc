#include "gorila/agent/epsilon_greedy_policy.h"

#include <algorithm>

#include "gorila/base/status.h"

namespace gorila {
namespace {

// Draws who explores, and their actions. True when all do.
bool Explore(std::span<const ActingEnvironment> environments, int num_actions, ActOutput& output) {
  bool all = true;
  for (std::size_t i = 0; i < environments.size(); ++i) {
    RandomStream& random = *environments[i].random;
    const bool explores = random.Uniform() < environments[i].epsilon;
    if (explores) output.actions[i] = random.Integer(0, num_actions);
    output.explored[i] = explores ? 1 : 0;
    all = all && explores;
  }
  return all;
}

}  // namespace

void EpsilonGreedyPolicy::Act(const ActInput& input, ActOutput& output) {
  const std::size_t count = input.environments.size();
  const auto num_actions = static_cast<std::size_t>(network_.spec().num_actions);
  GORILA_CHECK(
      count > 0 && input.observations.size() == count * network_.spec().input.stacked_bytes(),
      "{} bytes of {} environments", input.observations.size(), count);
  output.actions.resize(count);
  output.explored.resize(count);
  const bool all_explore = Explore(input.environments, network_.spec().num_actions, output);
  if (all_explore && !input.show_values) {
    output.values.clear();
    return;
  }
  output.values.resize(count * num_actions);
  network_.Predict(input.observations, static_cast<int>(count), output.values);
  for (std::size_t i = 0; i < count; ++i) {
    if (output.explored[i] != 0) continue;
    const float* const q = &output.values[i * num_actions];
    output.actions[i] = static_cast<int>(std::max_element(q, q + num_actions) - q);
  }
}

}  // namespace gorila
