#include "gorila/agent/softmax_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "gorila/agent/testing.h"
#include "gorila/base/status.h"

namespace gorila {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatNear;

// Outputs are the observation's bytes: logits 0, 1 and 2.
class SoftmaxPolicyTest : public testing::Test {
 protected:
  static constexpr std::array<double, 3> kProbabilities = {0.09003057, 0.24472847, 0.66524096};

  ActOutput Act(ActBy act_by, double epsilon, std::size_t environments = 1) {
    SoftmaxPolicy policy(network_, act_by);
    std::vector<std::byte> observations;
    for (std::size_t i = 0; i < environments; ++i) {
      for (const int logit : {0, 1, 2}) observations.push_back(std::byte(logit));
    }
    const std::vector<ActingEnvironment> acting(environments,
                                                {.epsilon = epsilon, .random = &random_});
    ActOutput output;
    policy.Act({.observations = observations, .environments = acting}, output);
    return output;
  }

  testing_agent::EchoNetwork network_{3};
  RandomStream random_{7};
};

TEST_F(SoftmaxPolicyTest, SamplesActionsAsOftenAsTheyAreLikely) {
  constexpr std::size_t kDraws = 100'000;
  const ActOutput output = Act(ActBy::kSample, 0, kDraws);
  std::array<double, 3> share{};
  for (const int action : output.actions) share[static_cast<std::size_t>(action)] += 1.0 / kDraws;
  for (std::size_t a = 0; a < 3; ++a) EXPECT_NEAR(share[a], kProbabilities[a], 0.006);
  EXPECT_THAT(output.explored, Each(0));
  EXPECT_EQ(network_.predictions, 1);
}

TEST_F(SoftmaxPolicyTest, ShowsProbabilitiesAndTheLogarithmOfTheOneTaken) {
  const ActOutput output = Act(ActBy::kSample, 0, 20);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto action = static_cast<std::size_t>(output.actions[i]);
    EXPECT_NEAR(output.values[3 * i + action], kProbabilities[action], 1e-6);
    EXPECT_NEAR(output.log_probabilities[i], std::log(kProbabilities[action]), 1e-6);
  }
}

TEST_F(SoftmaxPolicyTest, TakesTheMostLikelyActionByArgmax) {
  EXPECT_THAT(Act(ActBy::kArgmax, 0, 50).actions, Each(2));
}

// Its probability is that of the mixture, whichever of the two chose it.
TEST_F(SoftmaxPolicyTest, CountsEpsilonInTheProbability) {
  constexpr double kEpsilon = 0.3;
  constexpr std::size_t kDraws = 100'000;
  const ActOutput output = Act(ActBy::kSample, kEpsilon, kDraws);
  std::array<double, 3> share{};
  for (std::size_t i = 0; i < kDraws; ++i) {
    const auto action = static_cast<std::size_t>(output.actions[i]);
    share[action] += 1.0 / kDraws;
    const double mixture = 0.7 * kProbabilities[action] + 0.1;
    ASSERT_NEAR(output.log_probabilities[i], std::log(mixture), 1e-6);
  }
  for (std::size_t a = 0; a < 3; ++a) {
    EXPECT_NEAR(share[a], 0.7 * kProbabilities[a] + 0.1, 0.006);
  }
}

TEST_F(SoftmaxPolicyTest, ActsTheSameWhetherOrNotValuesAreShown) {
  SoftmaxPolicy policy(network_, ActBy::kSample);
  const std::vector<std::byte> observation = {std::byte{1}, std::byte{1}, std::byte{1}};
  RandomStream shown(3);
  RandomStream hidden(3);
  ActOutput with;
  ActOutput without;
  for (int i = 0; i < 50; ++i) {
    const ActingEnvironment one{.epsilon = 0.2, .random = &shown};
    const ActingEnvironment two{.epsilon = 0.2, .random = &hidden};
    policy.Act({.observations = observation, .environments = {&one, 1}, .show_values = true}, with);
    policy.Act({.observations = observation, .environments = {&two, 1}}, without);
    ASSERT_EQ(with.actions, without.actions);
  }
}

TEST(LogSoftmaxTest, DoesNotOverflow) {
  const std::array<float, 3> logits = {3e38F, 0, -3e38F};
  std::array<float, 3> log_pi{};
  LogSoftmax(logits, log_pi);
  EXPECT_EQ(log_pi[0], 0);
  EXPECT_LT(log_pi[1], -1e38F);
  const std::array<float, 2> alike = {-1e30F, -1e30F};
  LogSoftmax(alike, std::span(log_pi).first(2));
  EXPECT_THAT(std::vector(log_pi.begin(), log_pi.begin() + 2),
              ElementsAre(FloatNear(-std::log(2.0F), 1e-6F), FloatNear(-std::log(2.0F), 1e-6F)));
}

}  // namespace
}  // namespace gorila
