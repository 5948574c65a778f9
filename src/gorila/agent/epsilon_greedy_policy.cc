#include "gorila/agent/epsilon_greedy_policy.h"

#include <algorithm>
#include <limits>

#include "gorila/agent/action_mask.h"
#include "gorila/base/status.h"

namespace gorila {
namespace {

// Draws who explores, and their actions. True when all do.
bool Explore(std::span<const ActingEnvironment> environments, const NetworkSpec& network,
             ActOutput& output) {
  bool all = true;
  for (std::size_t i = 0; i < environments.size(); ++i) {
    RandomStream& random = *environments[i].random;
    const bool explores = random.Uniform() < environments[i].epsilon;
    if (explores) {
      output.actions[i] = DrawAllowed(ActionsOfGame(network.game_actions, environments[i].game),
                                      network.num_actions, random);
    }
    output.explored[i] = explores ? 1 : 0;
    all = all && explores;
  }
  return all;
}

}  // namespace

void EpsilonGreedyPolicy::ComputeValues(const ActInput& input, std::span<float> values) {
  const std::size_t count = input.environments.size();
  const int batch = static_cast<int>(count);
  if (form_.atoms == 1 && !form_.dueling) {
    return network_.Predict(input.observations, batch, values);
  }
  const auto actions = static_cast<std::size_t>(form_.num_actions);
  outputs_.resize(count * static_cast<std::size_t>(network_.spec().outputs()));
  x_.resize(count * form_.size());
  network_.Predict(input.observations, batch, outputs_);
  const StateActions allowed{.of_games = network_.spec().game_actions, .games = games_};
  const std::span<const float> x = Combine(form_, outputs_, count, x_, allowed);
  for (std::size_t i = 0; i < count; ++i) {
    ActionValues(form_, x.subspan(i * form_.size(), form_.size()),
                 values.subspan(i * actions, actions));
  }
}

void EpsilonGreedyPolicy::Act(const ActInput& input, ActOutput& output) {
  const std::size_t count = input.environments.size();
  const auto num_actions = static_cast<std::size_t>(network_.spec().num_actions);
  GORILA_CHECK(
      count > 0 && input.observations.size() == count * network_.spec().input.stacked_bytes(),
      "{} bytes of {} environments", input.observations.size(), count);
  output.actions.resize(count);
  output.explored.resize(count);
  const bool all_explore = Explore(input.environments, network_.spec(), output);
  if (all_explore && !input.show_values) {
    output.values.clear();
    return;
  }
  output.values.resize(count * num_actions);
  if (input.noisy) network_.Redraw(*input.environments.front().random);
  TakeGames(input, games_);
  network_.UseGames(games_);
  ComputeValues(input, output.values);
  for (std::size_t i = 0; i < count; ++i) {
    const std::span<float> q = std::span(output.values).subspan(i * num_actions, num_actions);
    FillForbidden(ActionsOfGame(network_.spec().game_actions, input.environments[i].game),
                  -std::numeric_limits<float>::infinity(), q);
    if (output.explored[i] != 0) continue;
    output.actions[i] = static_cast<int>(std::max_element(q.begin(), q.end()) - q.begin());
  }
}

}  // namespace gorila
