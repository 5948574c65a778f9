#include "gorila/actor/exploration.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

constexpr ExplorationOptions kLinear{.epsilon_start = 1, .epsilon_end = 0.2, .epsilon_ticks = 1000};

TEST(EpsilonTest, FallsLinearlyFromStartToEndAndStaysThere) {
  EXPECT_EQ(Epsilon(kLinear, 0, 0, 1), 1);
  EXPECT_DOUBLE_EQ(Epsilon(kLinear, 250, 0, 1), 0.8);
  EXPECT_DOUBLE_EQ(Epsilon(kLinear, 500, 0, 1), 0.6);
  EXPECT_DOUBLE_EQ(Epsilon(kLinear, 1000, 0, 1), 0.2);
  EXPECT_DOUBLE_EQ(Epsilon(kLinear, 1000000000000, 0, 1), 0.2);
}

TEST(EpsilonTest, WithoutTicksIsTheEndAtOnce) {
  ExplorationOptions options = kLinear;
  options.epsilon_ticks = 0;
  EXPECT_DOUBLE_EQ(Epsilon(options, 0, 0, 1), 0.2);
}

TEST(EpsilonTest, WithoutSpreadAllActorsAreTheSame) {
  for (int actor = 0; actor < 5; ++actor) {
    EXPECT_DOUBLE_EQ(Epsilon(kLinear, 500, actor, 5), 0.6);
  }
}

// Ape-X, section 4: epsilon_i = epsilon^(1 + alpha i / (N - 1)).
TEST(EpsilonTest, SpreadGivesLaterActorsHigherPowers) {
  ExplorationOptions options = kLinear;
  options.epsilon_start = 0.4;
  options.spread = 7;
  EXPECT_DOUBLE_EQ(Epsilon(options, 0, 0, 8), 0.4);
  EXPECT_NEAR(Epsilon(options, 0, 1, 8), 0.4 * 0.4, 1e-12);
  EXPECT_NEAR(Epsilon(options, 0, 7, 8), 0.00065536, 1e-12);
  EXPECT_DOUBLE_EQ(Epsilon(options, 0, 0, 1), 0.4) << "a single actor has nobody to differ from";
}

TEST(EpsilonTest, SpreadLeavesZeroAndOneAlone) {
  ExplorationOptions options{.epsilon_start = 1, .epsilon_end = 0, .epsilon_ticks = 10};
  options.spread = 7;
  for (int actor = 0; actor < 4; ++actor) {
    EXPECT_EQ(Epsilon(options, 0, actor, 4), 1);
    EXPECT_EQ(Epsilon(options, 10, actor, 4), 0);
  }
}

}  // namespace
}  // namespace gorila
