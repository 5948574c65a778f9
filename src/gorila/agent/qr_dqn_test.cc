#include "gorila/agent/qr_dqn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/agent/value_testing.h"

namespace gorila {
namespace {

ValueForm Quantiles(int count, int actions = 3) {
  return {.kind = ValueKind::kQuantiles, .num_actions = actions, .atoms = count};
}

// Dabney et al. 2018, equations 9 and 10 with kappa = 1, in double precision.
double ExpectedLoss(const LossBatch& batch, std::size_t i) {
  const std::size_t best = ReferenceBest(
      batch.form, batch.State(batch.online_t.empty() ? batch.target_t : batch.online_t, i));
  const std::span<const float> next = batch.Action(batch.target_t, i, best);
  const std::span<const float> theta = batch.Action(batch.online_tm1, i, batch.Taken(i));
  const int count = batch.form.atoms;
  double loss = 0;
  for (int p = 0; p < count; ++p) {
    const double tau = (p + 0.5) / count;
    for (int j = 0; j < count; ++j) {
      const double target = static_cast<double>(batch.r_t[i]) +
                            static_cast<double>(batch.discount_t[i]) *
                                static_cast<double>(next[static_cast<std::size_t>(j)]);
      const double u = target - static_cast<double>(theta[static_cast<std::size_t>(p)]);
      const double huber = std::abs(u) <= 1 ? u * u / 2 : std::abs(u) - 0.5;
      loss += std::abs(tau - (u < 0 ? 1 : 0)) * huber / count;
    }
  }
  return loss;
}

class QrDqnLossTest : public testing::TestWithParam<std::tuple<bool, int>> {
 protected:
  ValueBatch Batch(std::uint64_t seed) const {
    return {Quantiles(std::get<1>(GetParam())), 9, seed, std::get<0>(GetParam())};
  }
};

TEST_P(QrDqnLossTest, FollowsTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const ValueBatch batch = Batch(seed);
    const ValueResult result = ComputeLoss(&QrDqnLoss, {}, batch.view());
    double loss = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const double one = ExpectedLoss(batch.view(), i);
      loss += one / static_cast<double>(batch.size());
      EXPECT_NEAR(result.errors[i], std::sqrt(one), 1e-5 * (1 + one));
    }
    EXPECT_NEAR(result.loss, loss, 1e-5 * loss);
  }
}

TEST_P(QrDqnLossTest, GradientIsThatOfTheLoss) {
  ExpectGradientOfLoss(&QrDqnLoss, {.reduction = BatchReduction::kSum}, Batch(3));
}

TEST_P(QrDqnLossTest, WeightsScaleEachTransitionsShare) {
  ExpectWeightsToScale(&QrDqnLoss, {}, Batch(5));
}

TEST_P(QrDqnLossTest, ATerminalsValueDoesNotMatterEvenWhenItIsInfinite) {
  ExpectTerminalsNotToMatter(&QrDqnLoss, {}, Batch(6));
}

// Fewer, as many and more than are summed side by side.
INSTANTIATE_TEST_SUITE_P(SelectionAndQuantiles, QrDqnLossTest,
                         testing::Combine(testing::Bool(), testing::Values(5, 8, 21)),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) ? "Online" : "Target") +
                                  std::to_string(std::get<1>(info.param));
                         });

// tau belongs to the predicted quantile: the lowest one is pulled up by a tenth of what pushes it
// down, and the highest the other way round.
TEST(QuantileTest, TauIsThePredictedQuantiles) {
  ValueBatch batch(Quantiles(5, 1), 1, 1, false);
  batch.a_tm1 = {0};
  batch.discount_t = {0};
  batch.r_t = {4};
  batch.online_tm1 = {0, 0, 0, 0, 0};
  EXPECT_THAT(ComputeLoss(&QrDqnLoss, {}, batch.view()).dx,
              testing::Pointwise(testing::FloatEq(), {-0.1F, -0.3F, -0.5F, -0.7F, -0.9F}));
  batch.r_t = {-4};
  EXPECT_THAT(ComputeLoss(&QrDqnLoss, {}, batch.view()).dx,
              testing::Pointwise(testing::FloatEq(), {0.9F, 0.7F, 0.5F, 0.3F, 0.1F}));
}

}  // namespace
}  // namespace gorila
