#include "gorila/export/game_network.h"

#include <gtest/gtest.h>

#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/export/testing.h"

namespace gorila {
namespace {

using testing_export::Agent;

// Of networks with three actions: all in game 0, the last two in game 1.
class GameNetworkTest : public testing::TestWithParam<std::tuple<Agent, bool>> {
 protected:
  GameNetworkTest() {
    spec_.game_actions = {{1, 1, 1}, {0, 1, 1}};
    spec_.game_heads = std::get<bool>(GetParam());
    const ParameterLayout layout = MakeParameterLayout(spec_);
    RandomStream random(8);
    parameters_ = InitialParameters(layout, random);
  }

  static std::vector<float> Values(const AgentOptions& options, const NetworkSpec& spec,
                                   std::span<const float> parameters, int game) {
    const auto network = MakeQNetwork("reference", spec, 1).value();
    network->SetParameters(parameters);
    const auto policy = MakePolicy(options, *network, ActBy::kArgmax).value();
    std::vector<std::byte> observation;
    for (std::size_t i = 0; i < spec.input.stacked_bytes(); ++i) {
      observation.push_back(static_cast<std::byte>(37 * i + 11));
    }
    RandomStream random(9);
    const ActingEnvironment greedy{.epsilon = 0, .random = &random, .game = game};
    ActOutput output;
    policy->Act({.observations = observation, .environments = {&greedy, 1}, .show_values = true},
                output);
    return output.values;
  }

  const AgentOptions options_ = std::get<Agent>(GetParam()).options;
  const testing_export::Network network_{options_};
  NetworkSpec spec_ = network_.spec;
  std::vector<float> parameters_;
};

TEST_P(GameNetworkTest, SaysOfTheGamesActionsWhatTheNetworkOfAllSays) {
  for (const int game : {0, 1}) {
    const GameNetwork one = NetworkOfGame(spec_, network_.form, parameters_, game);
    EXPECT_EQ(one.spec, network_.spec);
    const std::vector<float> all = Values(options_, spec_, parameters_, game);
    const std::vector<float> alone = Values(options_, one.spec, one.parameters, 0);
    for (std::size_t a = static_cast<std::size_t>(game); a < 3; ++a) {
      EXPECT_NEAR(alone[a], all[a], 1e-5) << a;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Agents, GameNetworkTest,
                         testing::Combine(testing::ValuesIn(testing_export::Agents()),
                                          testing::Bool()),
                         [](const auto& test) {
                           return std::get<Agent>(test.param).name +
                                  (std::get<bool>(test.param) ? "PerGame" : "Shared");
                         });

}  // namespace
}  // namespace gorila
