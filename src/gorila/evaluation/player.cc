#include "gorila/evaluation/player.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gorila/agent/action_mask.h"
#include "gorila/evaluation/playing_agent.h"
#include "gorila/evaluation/value_scale.h"

namespace gorila {
namespace {

class RandomPlayer final : public Player {
 public:
  RandomPlayer(int num_actions, RandomStream random) : num_actions_(num_actions), random_(random) {}

  void Look(std::span<const std::byte>) override {}
  std::optional<int> Act() override { return random_.Integer(0, num_actions_); }
  std::string Describe() const override { return "random policy"; }

 private:
  const int num_actions_;
  RandomStream random_;
};

class AgentPlayer final : public Player {
 public:
  AgentPlayer(PlayingAgent agent, std::vector<float> parameters, const EnvironmentSpec& environment,
              double epsilon, RandomStream random)
      : agent_(std::move(agent)),
        parameters_(std::move(parameters)),
        own_(OwnActions(environment)),
        own_names_(OwnActionNames(environment)),
        game_(environment.game),
        epsilon_(epsilon),
        random_(random),
        bars_(agent_.is_policy ? ActionBars::kProbabilities : ActionBars::kQValues),
        scale_(bars_) {
    agent_.network->SetParameters(parameters_);
  }

  void Look(std::span<const std::byte> stacked) override {
    const ActingEnvironment acting{.epsilon = epsilon_, .random = &random_, .game = game_};
    agent_.policy->Act({.observations = stacked, .environments = {&acting, 1}, .show_values = true},
                       output_);
    own_values_.clear();
    for (const int action : own_) {
      own_values_.push_back(output_.values[static_cast<std::size_t>(action)]);
      scale_.Include(own_values_.back());
    }
  }
  std::optional<int> Act() override { return output_.actions[0]; }

  Values ActionValues() const override { return {own_values_, chosen()}; }

  // One line an action: a mark at the chosen one, its value and a bar from zero.
  std::vector<std::string> Panel() const override {
    std::vector<std::string> lines = {TitleOf(bars_)};
    for (std::size_t i = 0; i < own_values_.size(); ++i) {
      const float value = own_values_[i];
      lines.push_back(fmt::format("{} {:<7.7} {:>9.3f} {}",
                                  static_cast<int>(i) == chosen() ? '>' : ' ', own_names_[i], value,
                                  scale_.TextBar(value, 12)));
    }
    return lines;
  }

  std::string Describe() const override {
    const std::string epsilon = epsilon_ > 0 ? fmt::format(", epsilon {}", epsilon_) : "";
    if (!agent_.is_policy) return epsilon_ > 0 ? "agent" + epsilon : "agent, greedy";
    return (agent_.act_by == ActBy::kSample ? "agent, sampled" : "agent, most likely action") +
           epsilon;
  }

 private:
  // Its place among the game's own actions.
  int chosen() const {
    const auto found = std::find(own_.begin(), own_.end(), output_.actions[0]);
    return static_cast<int>(found - own_.begin());
  }

  const PlayingAgent agent_;
  const std::vector<float> parameters_;
  const std::vector<int> own_;
  const std::vector<std::string> own_names_;
  const int game_;
  const double epsilon_;
  RandomStream random_;
  ActOutput output_;               // for what was looked at last
  std::vector<float> own_values_;  // likewise
  const ActionBars bars_;
  ValueScale scale_;
};

}  // namespace

std::vector<int> OwnActions(const EnvironmentSpec& environment) {
  const AllowedActions allowed = ActionsOfGame(environment.game_actions, environment.game);
  std::vector<int> own;
  for (int action = 0; action < environment.num_actions(); ++action) {
    if (IsAllowed(allowed, static_cast<std::size_t>(action))) own.push_back(action);
  }
  return own;
}

std::vector<std::string> OwnActionNames(const EnvironmentSpec& environment) {
  std::vector<std::string> names;
  for (const int action : OwnActions(environment)) {
    names.push_back(environment.action_names[static_cast<std::size_t>(action)]);
  }
  return names;
}

std::unique_ptr<Player> MakeRandomPlayer(const EnvironmentSpec& environment, RandomStream random) {
  return std::make_unique<RandomPlayer>(environment.num_actions(), random);
}

StatusOr<std::unique_ptr<Player>> MakeAgentPlayer(const Config& config,
                                                  const EnvironmentSpec& environment,
                                                  std::vector<float> parameters, double epsilon,
                                                  RandomStream random) {
  GORILA_ASSIGN_OR_RETURN(PlayingAgent agent, MakePlayingAgent(config, 1));
  return std::make_unique<AgentPlayer>(std::move(agent), std::move(parameters), environment,
                                       epsilon, random);
}

}  // namespace gorila
