#include "gorila/agent/munchausen.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gorila/agent/value_testing.h"

namespace gorila {
namespace {

ValueBatch Batch(std::uint64_t seed) { return {{.num_actions = 4}, 9, seed, false, true}; }

// Vieillard et al. 2020, equation 1, in double precision and with a temperature at which nothing
// overflows.
double ExpectedTarget(const AgentOptions& options, const LossBatch& batch, std::size_t i) {
  const double tau = options.munchausen_temperature;
  const auto policy = [&](std::span<const float> q) {
    std::vector<float> scaled;
    for (const float value : q)
      scaled.push_back(static_cast<float>(static_cast<double>(value) / tau));
    return ReferenceSoftmax(scaled);
  };
  const std::vector<double> before = policy(batch.State(batch.target_tm1, i));
  const std::span<const float> q = batch.State(batch.target_t, i);
  const std::vector<double> after = policy(q);
  double value = 0;
  for (std::size_t a = 0; a < q.size(); ++a) {
    value += after[a] * (static_cast<double>(q[a]) - tau * std::log(after[a]));
  }
  const double bonus =
      std::clamp(tau * std::log(before[batch.Taken(i)]), options.munchausen_clip, 0.0);
  return static_cast<double>(batch.r_t[i]) + options.munchausen_scale * bonus +
         static_cast<double>(batch.discount_t[i]) * value;
}

TEST(MunchausenLossTest, FollowsTheDefinition) {
  const AgentOptions options{.munchausen_scale = 0.7, .munchausen_temperature = 0.5};
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const ValueBatch batch = Batch(seed);
    const ValueResult result = ComputeLoss(&MunchausenLoss, options, batch.view());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const double target = ExpectedTarget(options, batch.view(), i);
      const auto q =
          static_cast<double>(batch.online_tm1[i * 4 + static_cast<std::size_t>(batch.a_tm1[i])]);
      EXPECT_NEAR(result.errors[i], std::abs(target - q), 1e-5) << i;
    }
  }
}

TEST(MunchausenLossTest, GradientIsThatOfTheLoss) {
  ExpectGradientOfLoss(&MunchausenLoss, {}, Batch(3));
  ExpectGradientOfLoss(&MunchausenLoss, {.loss = TdErrorLoss::kSquared}, Batch(4));
}

TEST(MunchausenLossTest, WeightsScaleEachTransitionsShare) {
  ExpectWeightsToScale(&MunchausenLoss, {}, Batch(5));
}

TEST(MunchausenLossTest, ATerminalsValueDoesNotMatterEvenWhenItIsInfinite) {
  ExpectTerminalsNotToMatter(&MunchausenLoss, {}, Batch(6));
}

// Q / tau is in the thousands: a plain exp overflows. One action is far better, so the soft value
// is its value; the policy's logarithm of another is far below the clip.
TEST(MunchausenLossTest, TheBonusIsClippedAsTauTimesTheLogarithmAndNothingOverflows) {
  ValueBatch batch({.num_actions = 2}, 1, 1, false, true);
  batch.a_tm1 = {1};
  batch.r_t = {2};
  batch.discount_t = {0.5F};
  batch.online_tm1 = {0, 0};
  batch.target_tm1 = {300, 100};
  batch.target_t = {-80, 90};
  const AgentOptions options{.loss = TdErrorLoss::kSquared};
  const double target = 2 + 0.9 * -1 + 0.5 * 90;
  EXPECT_NEAR(ComputeLoss(&MunchausenLoss, options, batch.view()).loss, target * target, 1e-9);
  batch.target_tm1 = {100, 300};  // the action that the policy takes for sure: no bonus
  EXPECT_NEAR(ComputeLoss(&MunchausenLoss, options, batch.view()).errors[0], 2 + 45, 1e-5);
}

}  // namespace
}  // namespace gorila
