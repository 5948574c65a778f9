#include "gorila/agent/sarsa.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gorila/agent/value_testing.h"
#include "gorila/replay/transition.h"

namespace gorila {
namespace {

constexpr int kActions = 4;

ValueBatch Batch(std::uint64_t seed) {
  ValueBatch batch({.num_actions = kActions}, 9, seed, false);
  RandomStream random(seed + 100);
  batch.a_t.resize(batch.size());
  for (std::int32_t& action : batch.a_t) action = random.Integer(0, kActions);
  batch.a_t[1] = kNoAction;  // a time-out
  batch.discount_t[1] = 0.9375F;
  return batch;
}

// In double precision.
double Expectation(std::span<const float> q, double epsilon) {
  double best = q[0];
  double mean = 0;
  for (const float value : q) {
    best = std::max(best, static_cast<double>(value));
    mean += static_cast<double>(value) / kActions;
  }
  return (1 - epsilon) * best + epsilon * mean;
}

TEST(SarsaLossTest, BootstrapsWithTheActionTakenAndAtATimeOutWithThePolicysExpectation) {
  const AgentOptions options{.policy_epsilon = 0.25};
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const ValueBatch batch = Batch(seed);
    const LossBatch view = batch.view();
    const ValueResult sampled = ComputeLoss(&SarsaLoss, options, view);
    const ValueResult expected = ComputeLoss(&ExpectedSarsaLoss, options, view);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::span<const float> q = view.State(view.target_t, i);
      const auto at = [&](double value) {
        const double target =
            static_cast<double>(batch.r_t[i]) + static_cast<double>(batch.discount_t[i]) * value;
        return std::abs(target -
                        static_cast<double>(view.State(view.online_tm1, i)[view.Taken(i)]));
      };
      const double expectation = Expectation(q, 0.25);
      const double taken = batch.a_t[i] == kNoAction
                               ? expectation
                               : static_cast<double>(q[static_cast<std::size_t>(batch.a_t[i])]);
      EXPECT_NEAR(sampled.errors[i], at(taken), 1e-6) << i;
      EXPECT_NEAR(expected.errors[i], at(expectation), 1e-6) << i;
    }
  }
}

TEST(SarsaLossTest, GradientIsThatOfTheLoss) {
  ExpectGradientOfLoss(&SarsaLoss, {}, Batch(3));
  ExpectGradientOfLoss(&ExpectedSarsaLoss, {.loss = TdErrorLoss::kSquared}, Batch(4));
}

TEST(SarsaLossTest, WeightsScaleEachTransitionsShare) {
  ExpectWeightsToScale(&SarsaLoss, {}, Batch(5));
}

TEST(SarsaLossTest, ATerminalsValueDoesNotMatterEvenWhenItIsInfinite) {
  ExpectTerminalsNotToMatter(&SarsaLoss, {}, Batch(6));
  ExpectTerminalsNotToMatter(&ExpectedSarsaLoss, {}, Batch(7));
}

}  // namespace
}  // namespace gorila
