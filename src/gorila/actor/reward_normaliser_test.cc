#include "gorila/actor/reward_normaliser.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gorila/base/random.h"

namespace gorila {
namespace {

TimeStep Reward(float reward, bool last = false) {
  return {.step_type = last ? StepType::kLast : StepType::kMid, .reward = reward};
}

TEST(RewardNormaliserTest, DividesByTheDeviationOfDiscountedReturns) {
  RewardNormaliser normaliser(0.5, {0});
  // Returns 1, 0.5, 2.25.
  normaliser.Normalise(0, Reward(1));
  normaliser.Normalise(0, Reward(0));
  const double mean = (1 + 0.5 + 2.25) / 3;
  const double variance =
      (std::pow(1 - mean, 2) + std::pow(0.5 - mean, 2) + std::pow(2.25 - mean, 2)) / 3;
  EXPECT_NEAR(normaliser.Normalise(0, Reward(2)), 2 / std::sqrt(variance), 1e-6);
}

TEST(RewardNormaliserTest, AGameScaledByAThousandGivesTheSame) {
  RewardNormaliser normaliser(0.99, {0, 1});
  RandomStream random(3);
  double largest = 0;
  for (int i = 0; i < 5000; ++i) {
    const float reward = random.Uniform() < 0.1 ? static_cast<float>(random.Integer(1, 5)) : 0;
    const bool last = random.Uniform() < 0.01;
    const float small = normaliser.Normalise(0, Reward(reward, last));
    const float large = normaliser.Normalise(1, Reward(1000 * reward, last));
    if (i < 10) continue;  // before the first rewards differ
    EXPECT_NEAR(small, large, 1e-4 * (1 + std::abs(small)));
    largest = std::max(largest, static_cast<double>(small));
  }
  EXPECT_GT(largest, 0.1);
}

TEST(RewardNormaliserTest, ClipsAndLeavesRewardsThatNeverDiffered) {
  RewardNormaliser normaliser(0.9, {0});
  EXPECT_EQ(normaliser.Normalise(0, Reward(0)), 0);
  for (int i = 0; i < 10'000; ++i) normaliser.Normalise(0, Reward(0));
  EXPECT_EQ(normaliser.Normalise(0, Reward(7)), 10);
}

TEST(RewardNormaliserTest, ContinuesFromItsStateBitForBit) {
  RewardNormaliser a(0.9, {0, 1, 0});
  RandomStream random(5);
  for (std::size_t i = 0; i < 300; ++i) {
    a.Normalise(i % 3, Reward(static_cast<float>(random.Integer(0, 9)), i % 50 == 49));
  }
  StateWriter writer;
  a.SaveState(writer);
  RewardNormaliser b(0.9, {0, 1, 0});
  StateReader reader(writer.bytes());
  ASSERT_TRUE(b.RestoreState(reader).ok());
  for (std::size_t i = 0; i < 300; ++i) {
    const TimeStep step = Reward(static_cast<float>(i % 7));
    EXPECT_EQ(a.Normalise(i % 3, step), b.Normalise(i % 3, step));
  }
  RewardNormaliser other(0.9, {0, 1});
  StateReader again(writer.bytes());
  EXPECT_TRUE(absl::IsDataLoss(other.RestoreState(again)));
}

}  // namespace
}  // namespace gorila
