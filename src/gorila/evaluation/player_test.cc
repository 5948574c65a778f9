#include "gorila/evaluation/player.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gorila/agent/value_form.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"

namespace gorila {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// What an agent's player shows and does is what its network says.
class AgentPlayerTest : public testing::Test {
 protected:
  AgentPlayerTest() {
    config_.environment.name = "classic/catch";
    config_.network.preset = "custom";
    config_.network.hidden = {8};
    environment_ =
        MakeEnvironment(config_.environment.name, {}, MakeRandomDraws(RandomStream(1))).value();
    network_ = MakeQNetwork("auto", ResolveNetwork(config_).value(), 1).value();
    RandomStream random(2);
    parameters_ = InitialParameters(network_->layout(), random);
    network_->SetParameters(parameters_);
    state_.resize(network_->spec().input.stacked_bytes());
    environment_->Reset(state_).value();
  }

  std::unique_ptr<Player> Make(double epsilon) {
    return MakeAgentPlayer(config_, environment_->spec(), parameters_, epsilon, RandomStream(3))
        .value();
  }
  std::vector<float> Predicted() {
    std::vector<float> q(3);
    network_->Predict(state_, 1, q);
    return q;
  }

  Config config_;
  std::unique_ptr<Environment> environment_;
  std::unique_ptr<QNetwork> network_;
  std::vector<float> parameters_;
  std::vector<std::byte> state_;
};

TEST_F(AgentPlayerTest, TakesTheBestActionAndShowsTheValuesOfAll) {
  const auto player = Make(0);
  player->Look(state_);
  const std::vector<float> q = Predicted();
  const auto best = static_cast<int>(std::max_element(q.begin(), q.end()) - q.begin());
  EXPECT_THAT(player->ActionValues().values, ElementsAreArray(q));
  EXPECT_EQ(player->ActionValues().chosen, best);
  EXPECT_EQ(player->Act(), best);
  const std::vector<std::string> panel = player->Panel();
  ASSERT_THAT(panel, SizeIs(4));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(panel[i + 1][0], static_cast<int>(i) == best ? '>' : ' ');
    EXPECT_THAT(panel[i + 1], HasSubstr(fmt::format("{:.3f}", q[i])));
  }
}

TEST_F(AgentPlayerTest, ShowsTheValuesAlsoWhileItActsAtRandom) {
  const auto player = Make(1);
  std::vector<int> taken(3);
  for (int i = 0; i < 60; ++i) {
    player->Look(state_);
    ASSERT_THAT(player->ActionValues().values, ElementsAreArray(Predicted()));
    ASSERT_EQ(player->Act(), player->ActionValues().chosen);
    ++taken[static_cast<std::size_t>(*player->Act())];
  }
  for (const int count : taken) EXPECT_GT(count, 0);
}

class PolicyPlayerTest : public AgentPlayerTest {
 protected:
  PolicyPlayerTest() {
    config_.learner.agent.algorithm = "vtrace";
    network_ = MakeQNetwork("auto", ResolveNetwork(config_).value(), 1).value();
    RandomStream random(2);
    parameters_ = InitialParameters(network_->layout(), random);
    network_->SetParameters(parameters_);
  }
  std::vector<float> Probabilities() {
    std::vector<float> outputs(4), probabilities(3);
    network_->Predict(state_, 1, outputs);
    Softmax(std::span(outputs).first(3), probabilities);
    return probabilities;
  }
};

TEST_F(PolicyPlayerTest, ShowsProbabilitiesOnAScaleToOne) {
  const auto player = Make(0);
  player->Look(state_);
  const std::vector<float> expected = Probabilities();
  const std::vector<std::string> panel = player->Panel();
  ASSERT_THAT(panel, SizeIs(4));
  EXPECT_EQ(panel[0], "Probabilities");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(player->ActionValues().values[i], expected[i], 1e-6);
    EXPECT_THAT(panel[i + 1], HasSubstr(fmt::format("{:.3f}", expected[i])));
    const auto bar = static_cast<double>(std::count(panel[i + 1].begin(), panel[i + 1].end(), '='));
    EXPECT_NEAR(bar, 12 * static_cast<double>(expected[i]), 0.51);
  }
}

TEST_F(PolicyPlayerTest, IsSampledFromOrTakesTheMostLikelyActionAndSaysSo) {
  const auto counts = [&](Player& player) {
    std::vector<int> taken(3);
    for (int i = 0; i < 100; ++i) {
      player.Look(state_);
      ++taken[static_cast<std::size_t>(player.Act().value())];
    }
    return taken;
  };
  const auto sampled = Make(0);
  for (const int count : counts(*sampled)) EXPECT_GT(count, 0);
  EXPECT_EQ(sampled->Describe(), "agent, sampled");
  EXPECT_EQ(Make(0.25)->Describe(), "agent, sampled, epsilon 0.25");
  config_.evaluation.act = EvaluationAct::kArgmax;
  const auto likeliest = Make(0);
  const std::vector<float> expected = Probabilities();
  const auto best = std::max_element(expected.begin(), expected.end()) - expected.begin();
  EXPECT_EQ(counts(*likeliest)[static_cast<std::size_t>(best)], 100);
  EXPECT_EQ(likeliest->Describe(), "agent, most likely action");
  EXPECT_EQ(Make(0.25)->Describe(), "agent, most likely action, epsilon 0.25");
}

// Breakout lacks actions of Asterix, whose values an agent's policy leaves out.
TEST(SharedNetworkPlayerTest, ShowsTheActionsThatTheGameHas) {
  Config run;
  run.environment.name = "minatar/asterix,minatar/breakout";
  run.environment.options.minimal_actions = true;
  run.network.preset = "custom";
  run.network.hidden = {8};
  const Config config = OneGame(run, 1);
  const auto environment = MakeEnvironment(config.environment.name, config.environment.options,
                                           MakeRandomDraws(RandomStream(1)))
                               .value();
  EXPECT_THAT(OwnActionNames(environment->spec()), SizeIs(3));
  EXPECT_GT(environment->spec().num_actions(), 3);
  const auto player =
      MakeAgentPlayer(
          config, environment->spec(),
          RunInitialParameters(config, MakeParameterLayout(ResolveNetwork(config).value())), 0.5,
          RandomStream(3))
          .value();
  std::vector<std::byte> state(environment->spec().observation.stacked_bytes());
  environment->Reset(state).value();
  for (int i = 0; i < 20; ++i) {
    player->Look(state);
    const Player::Values shown = player->ActionValues();
    ASSERT_THAT(shown.values, SizeIs(3));
    for (const float value : shown.values) EXPECT_TRUE(std::isfinite(value));
    ASSERT_LT(shown.chosen, 3);
    EXPECT_EQ(OwnActions(environment->spec())[static_cast<std::size_t>(shown.chosen)],
              player->Act());
    EXPECT_THAT(player->Panel(), SizeIs(4));
  }
}

}  // namespace
}  // namespace gorila
