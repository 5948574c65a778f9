#include "gorila/agent/epsilon_greedy_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "gorila/agent/testing.h"

namespace gorila {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kActions = 4;

class EpsilonGreedyPolicyTest : public testing::Test {
 protected:
  // Of the environments with these Q-values and epsilons, all of which draw from random_.
  const ActOutput& Act(const std::vector<std::vector<int>>& q, const std::vector<double>& epsilons,
                       bool show_values = false) {
    environments_.clear();
    for (const double epsilon : epsilons) environments_.push_back({epsilon, &random_});
    return ActAgain(q, show_values);
  }

  // Of those that environments_ has.
  const ActOutput& ActAgain(const std::vector<std::vector<int>>& q, bool show_values = false) {
    observations_.clear();
    for (const std::vector<int>& row : q) {
      for (const int value : row) observations_.push_back(static_cast<std::byte>(value));
    }
    policy_.Act(
        {.observations = observations_, .environments = environments_, .show_values = show_values},
        output_);
    return output_;
  }

  testing_agent::EchoNetwork network_{kActions};
  EpsilonGreedyPolicy policy_{network_};
  RandomStream random_{7};
  std::vector<ActingEnvironment> environments_;
  std::vector<std::byte> observations_;
  ActOutput output_;
};

TEST_F(EpsilonGreedyPolicyTest, WithoutExplorationTakesEachEnvironmentsBestActionOfOnePrediction) {
  Act({{1, 9, 2, 3}, {8, 1, 2, 3}, {1, 2, 3, 7}}, {0, 0, 0});
  EXPECT_THAT(output_.actions, ElementsAre(1, 0, 3));
  EXPECT_THAT(output_.explored, Each(0));
  EXPECT_EQ(network_.predictions, 1);
  EXPECT_EQ(network_.last_batch, 3);
}

TEST_F(EpsilonGreedyPolicyTest, OfEqualValuesTakesTheFirst) {
  Act({{1, 5, 5, 2}, {3, 3, 3, 3}, {0, 1, 2, 2}}, {0, 0, 0});
  EXPECT_THAT(output_.actions, ElementsAre(1, 0, 2));
}

TEST_F(EpsilonGreedyPolicyTest, EpsilonOneTakesAllActionsAlikeAndAsksNoNetwork) {
  std::vector<int> taken(kActions);
  for (int i = 0; i < 4000; ++i) {
    Act({{9, 0, 0, 0}}, {1});
    ++taken[static_cast<std::size_t>(output_.actions[0])];
    ASSERT_THAT(output_.explored, ElementsAre(1));
    ASSERT_THAT(output_.values, IsEmpty());
  }
  EXPECT_EQ(network_.predictions, 0);
  // Five standard deviations of a binomial.
  for (const int count : taken) EXPECT_NEAR(count, 1000, 5 * 27);
}

TEST_F(EpsilonGreedyPolicyTest, EachEnvironmentExploresByItsOwnEpsilon) {
  std::vector<int> explored(3);
  for (int i = 0; i < 2000; ++i) {
    Act({{9, 0, 0, 0}, {9, 0, 0, 0}, {9, 0, 0, 0}}, {0, 0.25, 1});
    for (std::size_t j = 0; j < 3; ++j) {
      explored[j] += output_.explored[j];
      if (output_.explored[j] == 0) {
        ASSERT_EQ(output_.actions[j], 0);
      }
    }
  }
  EXPECT_EQ(explored[0], 0);
  EXPECT_NEAR(explored[1], 500, 5 * 19.4);
  EXPECT_EQ(explored[2], 2000);
}

TEST_F(EpsilonGreedyPolicyTest, DrawsAUniformForEachEnvironmentInOrderAndAnActionForWhoExplores) {
  RandomStream expected = random_;
  for (int i = 0; i < 200; ++i) {
    const std::vector<double> epsilons = {0.5, 0, 0.9, 1};
    Act({{9, 0, 0, 0}, {0, 9, 0, 0}, {0, 0, 9, 0}, {0, 0, 0, 9}}, epsilons);
    for (std::size_t j = 0; j < epsilons.size(); ++j) {
      const bool explores = expected.Uniform() < epsilons[j];
      const int action = explores ? expected.Integer(0, kActions) : static_cast<int>(j);
      ASSERT_EQ(output_.explored[j] != 0, explores) << i << " " << j;
      ASSERT_EQ(output_.actions[j], action) << i << " " << j;
    }
    ASSERT_EQ(random_, expected) << i;
  }
}

TEST_F(EpsilonGreedyPolicyTest, AnEnvironmentWithItsOwnStreamActsAsIfAlone) {
  const std::vector<std::vector<int>> q = {{9, 0, 0, 0}, {0, 9, 0, 0}};
  std::vector<RandomStream> streams = {RandomStream(1), RandomStream(2)};
  std::vector<std::vector<int>> together(2);
  environments_ = {{0.5, &streams[0]}, {0.5, &streams[1]}};
  for (int i = 0; i < 100; ++i) {
    ActAgain(q);
    for (std::size_t j = 0; j < 2; ++j) together[j].push_back(output_.actions[j]);
  }
  for (std::size_t j = 0; j < 2; ++j) {
    RandomStream own(j + 1);
    environments_ = {{0.5, &own}};
    std::vector<int> alone;
    for (int i = 0; i < 100; ++i) alone.push_back(ActAgain({q[j]}).actions[0]);
    EXPECT_EQ(alone, together[j]) << j;
    EXPECT_EQ(own, streams[j]) << j;
  }
}

TEST_F(EpsilonGreedyPolicyTest, ShowsTheValuesOfEveryActionAlsoWhenItExplores) {
  Act({{1, 9, 2, 3}, {8, 1, 2, 3}}, {1, 0}, /*show_values=*/true);
  EXPECT_THAT(output_.values, ElementsAre(1, 9, 2, 3, 8, 1, 2, 3));
  EXPECT_THAT(output_.explored, ElementsAre(1, 0));
  Act({{4, 3, 2, 1}}, {1}, /*show_values=*/true);
  EXPECT_THAT(output_.values, ElementsAre(4, 3, 2, 1));
  EXPECT_EQ(network_.predictions, 2);
}

TEST_F(EpsilonGreedyPolicyTest, LookingAtTheValuesChangesNoActionAndNoDraw) {
  const auto play = [this](bool show_values) {
    random_ = RandomStream(3);
    std::vector<int> actions;
    for (int i = 0; i < 200; ++i) {
      Act({{9, 0, 0, 0}, {0, 0, 9, 0}}, {0.7, 0.7}, show_values);
      actions.insert(actions.end(), output_.actions.begin(), output_.actions.end());
    }
    return std::pair(actions, random_);
  };
  EXPECT_EQ(play(true), play(false));
}

TEST_F(EpsilonGreedyPolicyTest, AnOutputFollowsTheNumberOfEnvironments) {
  Act({{1, 2, 3, 4}, {4, 3, 2, 1}, {1, 2, 4, 3}}, {0, 0, 0}, /*show_values=*/true);
  Act({{4, 3, 2, 1}}, {0}, /*show_values=*/true);
  EXPECT_THAT(output_.actions, ElementsAre(0));
  EXPECT_THAT(output_.explored, ElementsAre(0));
  EXPECT_THAT(output_.values, ElementsAre(4, 3, 2, 1));
}

TEST_F(EpsilonGreedyPolicyTest, ObservationsOfAnotherNumberOfEnvironmentsAreABrokenInvariant) {
  EXPECT_DEATH(Act({{1, 2, 3, 4}}, {0, 0}), "4 bytes of 2 environments");
  EXPECT_DEATH(Act({}, {}), "0 bytes of 0 environments");
}

}  // namespace
}  // namespace gorila
