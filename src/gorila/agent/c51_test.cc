#include "gorila/agent/c51.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "gorila/agent/value_testing.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

ValueForm Atoms(int count, double low, double high) {
  return {
      .kind = ValueKind::kCategorical, .num_actions = 3, .atoms = count, .low = low, .high = high};
}

std::vector<double> Project(const ValueForm& form, double r, double discount,
                            const std::vector<float>& probabilities) {
  std::vector<double> projected(static_cast<std::size_t>(form.atoms), 77);
  ProjectCategorical(form, r, discount, probabilities, projected);
  return projected;
}

TEST(ProjectCategoricalTest, NoRewardAndNoDiscountingChangeNothing) {
  const std::vector<float> p = {0.1F, 0.2F, 0.3F, 0.25F, 0.15F};
  EXPECT_THAT(Project(Atoms(5, -2, 2), 0, 1, p), Pointwise(::testing::DoubleNear(1e-12), p));
}

TEST(ProjectCategoricalTest, AWholeNumberOfAtomsMovesTheMassAndLosesNone) {
  EXPECT_THAT(Project(Atoms(5, -2, 2), 1, 1, {0.25F, 0.25F, 0.5F, 0, 0}),
              ElementsAre(0, 0.25, 0.25, 0.5, 0));
}

TEST(ProjectCategoricalTest, BetweenTwoAtomsTheNearerGetsMore) {
  EXPECT_THAT(Project(Atoms(5, -2, 2), 0.25, 1, {0, 0, 1, 0, 0}), ElementsAre(0, 0, 0.75, 0.25, 0));
}

TEST(ProjectCategoricalTest, BeyondTheEndsAllMassIsOnTheLastAtom) {
  EXPECT_THAT(Project(Atoms(3, -1, 1), 9, 1, {0.25F, 0.25F, 0.5F}), ElementsAre(0, 0, 1));
  EXPECT_THAT(Project(Atoms(3, -1, 1), -9, 1, {0.25F, 0.25F, 0.5F}), ElementsAre(1, 0, 0));
}

TEST(ProjectCategoricalTest, ATerminalsMassIsAtItsRewardWhateverItsProbabilities) {
  EXPECT_THAT(Project(Atoms(3, -1, 1), 0.5, 0, {kInfinity, -kInfinity, NAN}),
              ElementsAre(0, 0.5, 0.5));
  EXPECT_THAT(Project(Atoms(3, -1, 1), 1, 0, {0, 0, 0}), ElementsAre(0, 0, 1));
}

// b = (r + discount z - low) / dz comes out slightly beside whole numbers here.
TEST(ProjectCategoricalTest, KeepsTheMassForAnyRewardAndDiscount) {
  RandomStream random(5);
  for (int i = 0; i < 2000; ++i) {
    const ValueForm form = Atoms(random.Integer(2, 60), -10, 10);
    std::vector<float> p(static_cast<std::size_t>(form.atoms));
    for (float& value : p) value = static_cast<float>(random.Uniform());
    const double whole = std::accumulate(p.begin(), p.end(), 0.0);
    const double r =
        i % 2 == 0 ? form.atom_distance() * random.Integer(-3, 4) : 30 * random.Uniform() - 15;
    const std::vector<double> projected = Project(form, r, i % 3 == 0 ? 1 : 0.97, p);
    EXPECT_NEAR(std::accumulate(projected.begin(), projected.end(), 0.0), whole, 1e-5);
  }
}

// The projection in its other form (Bellemare et al. 2017, equation 7), the softmax and the
// cross-entropy, in double precision.
double ExpectedLoss(const LossBatch& batch, std::size_t i) {
  const std::size_t best = ReferenceBest(
      batch.form, batch.State(batch.online_t.empty() ? batch.target_t : batch.online_t, i));
  const std::vector<double> p = ReferenceSoftmax(batch.Action(batch.target_t, i, best));
  const std::vector<double> predicted =
      ReferenceSoftmax(batch.Action(batch.online_tm1, i, batch.Taken(i)));
  double loss = 0;
  for (int k = 0; k < batch.form.atoms; ++k) {
    double mass = 0;
    for (int j = 0; j < batch.form.atoms; ++j) {
      const double moved =
          std::clamp(static_cast<double>(batch.r_t[i]) +
                         static_cast<double>(batch.discount_t[i]) * batch.form.atom(j),
                     batch.form.low, batch.form.high);
      const double share = 1 - std::abs(moved - batch.form.atom(k)) / batch.form.atom_distance();
      mass += std::clamp(share, 0.0, 1.0) * p[static_cast<std::size_t>(j)];
    }
    loss -= mass * std::log(predicted[static_cast<std::size_t>(k)]);
  }
  return loss;
}

class C51LossTest : public testing::TestWithParam<bool> {
 protected:
  ValueBatch Batch(std::uint64_t seed) const {
    return {Atoms(11, -3, 3), 9, seed, /*double_selection=*/GetParam()};
  }
};

TEST_P(C51LossTest, FollowsTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const ValueBatch batch = Batch(seed);
    const ValueResult result = ComputeLoss(&C51Loss, {}, batch.view());
    double loss = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      loss += ExpectedLoss(batch.view(), i) / static_cast<double>(batch.size());
    }
    EXPECT_NEAR(result.loss, loss, 1e-6 * loss);
  }
}

TEST_P(C51LossTest, GradientIsThatOfTheLoss) {
  ExpectGradientOfLoss(&C51Loss, {}, Batch(3));
  ExpectGradientOfLoss(&C51Loss, {.reduction = BatchReduction::kSum}, Batch(4));
}

TEST_P(C51LossTest, WeightsScaleEachTransitionsShare) {
  ExpectWeightsToScale(&C51Loss, {}, Batch(5));
}

TEST_P(C51LossTest, ATerminalsValueDoesNotMatterEvenWhenItIsInfinite) {
  ExpectTerminalsNotToMatter(&C51Loss, {}, Batch(6));
}

INSTANTIATE_TEST_SUITE_P(Selection, C51LossTest, testing::Bool(), [](const auto& info) {
  return info.param ? "ByTheOnlineNetwork" : "ByTheTargetNetwork";
});

// Their divergence, by which transitions are prioritised; the loss itself stays above 0.
TEST(C51ErrorTest, APerfectPredictionHasNoErrorAndAWrongOneHas) {
  ValueBatch batch(Atoms(5, -2, 2), 1, 7, false);
  batch.a_tm1 = {1};
  batch.r_t = {0.25F};
  batch.discount_t = {0};
  for (std::size_t j = 0; j < 5; ++j) batch.online_tm1[5 + j] = -90;
  batch.online_tm1[5 + 2] = std::log(0.75F);
  batch.online_tm1[5 + 3] = std::log(0.25F);
  const ValueResult right = ComputeLoss(&C51Loss, {}, batch.view());
  EXPECT_NEAR(right.errors[0], 0, 1e-6);
  EXPECT_GT(right.loss, 0.5);
  batch.online_tm1[5 + 3] = std::log(0.75F);
  batch.online_tm1[5 + 2] = std::log(0.25F);
  const double divergence = 0.75 * std::log(0.75 / 0.25) + 0.25 * std::log(0.25 / 0.75);
  EXPECT_NEAR(ComputeLoss(&C51Loss, {}, batch.view()).errors[0], divergence, 1e-6);
}

TEST(C51ErrorTest, ParametersThatAreNotFiniteGiveNoFiniteLossAndNoCrash) {
  ValueBatch batch(Atoms(5, -2, 2), 4, 8, true);
  for (std::vector<float>* values : {&batch.online_tm1, &batch.target_t, &batch.online_t}) {
    for (float& value : *values) value = std::numeric_limits<float>::quiet_NaN();
  }
  EXPECT_FALSE(std::isfinite(ComputeLoss(&C51Loss, {}, batch.view()).loss));
}

}  // namespace
}  // namespace gorila
