#include "gorila/agent/dqn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gorila/agent/value_scale.h"
#include "gorila/base/random.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Owns what a LossBatch refers to.
struct Batch {
  int num_actions = 0;
  std::vector<float> q_tm1;
  std::vector<std::int32_t> a_tm1;
  std::vector<float> r_t;
  std::vector<float> discount_t;
  std::vector<float> q_target_t;
  std::vector<float> q_online_t;
  std::vector<float> weights = {};

  std::size_t size() const { return a_tm1.size(); }
  LossBatch view(std::string_view algorithm) const {
    return {.form = {.num_actions = num_actions},
            .online_tm1 = q_tm1,
            .a_tm1 = a_tm1,
            .r_t = r_t,
            .discount_t = discount_t,
            .target_t = q_target_t,
            .online_t = algorithm == "double_dqn" ? std::span<const float>(q_online_t)
                                                  : std::span<const float>(),
            .weights = weights};
  }
};

Batch RandomBatch(std::size_t size, int num_actions, std::uint64_t seed) {
  RandomStream random(seed);
  const auto floats = [&](std::size_t count, double range) {
    std::vector<float> values(count);
    for (float& value : values) {
      // Multiples of 1/256, so that a small change of one is exact.
      value = static_cast<float>(random.Integer(-256, 257)) / 256 * static_cast<float>(range);
    }
    return values;
  };
  const std::size_t values = size * static_cast<std::size_t>(num_actions);
  Batch batch{.num_actions = num_actions,
              .q_tm1 = floats(values, 2),
              .a_tm1 = std::vector<std::int32_t>(size),
              .r_t = floats(size, 1),
              .discount_t = std::vector<float>(size),
              .q_target_t = floats(values, 2),
              .q_online_t = floats(values, 2)};
  for (std::int32_t& action : batch.a_tm1) action = random.Integer(0, num_actions);
  for (float& discount : batch.discount_t) discount = random.Integer(0, 4) == 0 ? 0 : 0.9375F;
  return batch;
}

struct Result {
  double loss = 0;
  std::vector<float> dq;
  std::vector<float> errors;
};

Result Compute(std::string_view algorithm, const AgentOptions& options, const Batch& batch) {
  Result result;
  result.dq.assign(batch.q_tm1.size(), 77);  // must be overwritten
  result.errors.assign(batch.size(), 77);
  result.loss = DqnLoss(options, batch.view(algorithm), result.dq, result.errors);
  return result;
}

// The same from the definitions, in double precision, one transition at a time.
Result Expected(std::string_view algorithm, const AgentOptions& options, const Batch& batch) {
  Result result;
  const auto actions = static_cast<std::size_t>(batch.num_actions);
  const auto size = static_cast<double>(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    std::size_t best = 0;
    const std::vector<float>& chooser =
        algorithm == "double_dqn" ? batch.q_online_t : batch.q_target_t;
    for (std::size_t a = 1; a < actions; ++a) {
      if (chooser[i * actions + a] > chooser[i * actions + best]) best = a;
    }
    double target = static_cast<double>(batch.r_t[i]);
    if (batch.discount_t[i] != 0) {
      target += static_cast<double>(batch.discount_t[i]) *
                static_cast<double>(batch.q_target_t[i * actions + best]);
    }
    const auto taken = static_cast<std::size_t>(batch.a_tm1[i]);
    const double delta = target - static_cast<double>(batch.q_tm1[i * actions + taken]);
    result.errors.push_back(std::abs(static_cast<float>(delta)));
    double slope = 2 * delta;
    if (options.loss == TdErrorLoss::kSquared) {
      result.loss += delta * delta / size;
    } else {
      const double size_of_delta = std::abs(delta);
      result.loss += (size_of_delta <= 1 ? delta * delta / 2 : size_of_delta - 0.5) / size;
      slope = std::clamp(delta, -1.0, 1.0);
    }
    if (options.reduction == BatchReduction::kMean) slope /= size;
    for (std::size_t a = 0; a < actions; ++a) {
      result.dq.push_back(a == taken ? static_cast<float>(-slope) : 0.0F);
    }
  }
  return result;
}

using Case = std::tuple<std::string_view, TdErrorLoss, BatchReduction>;

class DqnLossTest : public testing::TestWithParam<Case> {
 protected:
  std::string_view algorithm() const { return std::get<0>(GetParam()); }
  AgentOptions options() const {
    return {.loss = std::get<1>(GetParam()), .reduction = std::get<2>(GetParam())};
  }
};

TEST_P(DqnLossTest, FollowsTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Batch batch = RandomBatch(11, 4, seed);
    const Result result = Compute(algorithm(), options(), batch);
    const Result expected = Expected(algorithm(), options(), batch);
    EXPECT_NEAR(result.loss, expected.loss, 1e-6 * expected.loss);
    ASSERT_EQ(result.dq.size(), expected.dq.size());
    for (std::size_t i = 0; i < result.dq.size(); ++i) {
      EXPECT_NEAR(result.dq[i], expected.dq[i], 1e-6) << i;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      EXPECT_NEAR(result.errors[i], expected.errors[i], 1e-6) << i;
    }
  }
}

TEST_P(DqnLossTest, WeightsScaleEachTransitionsShare) {
  Batch batch = RandomBatch(8, 3, 5);
  const Result plain = Compute(algorithm(), options(), batch);
  batch.weights.assign(batch.size(), 1);
  const Result ones = Compute(algorithm(), options(), batch);
  EXPECT_EQ(ones.loss, plain.loss);
  EXPECT_EQ(ones.dq, plain.dq);
  double loss = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch.weights.assign(batch.size(), 0);
    batch.weights[i] = 0.25F;
    const Result one = Compute(algorithm(), options(), batch);
    EXPECT_EQ(one.errors, plain.errors);
    for (std::size_t k = 0; k < one.dq.size(); ++k) {
      EXPECT_EQ(one.dq[k], k / 3 == i ? plain.dq[k] / 4 : 0);
    }
    loss += 4 * one.loss;
  }
  EXPECT_NEAR(loss, plain.loss, 1e-12 * plain.loss);
}

// The target is a constant in it: nothing flows through q_target_t or q_online_t.
TEST_P(DqnLossTest, GradientIsThatOfTheLoss) {
  Batch batch = RandomBatch(9, 3, 77);
  const Result result = Compute(algorithm(), options(), batch);
  const double sum_over_mean =
      options().reduction == BatchReduction::kSum ? static_cast<double>(batch.size()) : 1.0;
  constexpr float kStep = 1.0F / 256;
  for (std::size_t i = 0; i < batch.q_tm1.size(); ++i) {
    const float q = batch.q_tm1[i];
    batch.q_tm1[i] = q + kStep;
    const double above = Compute(algorithm(), options(), batch).loss;
    batch.q_tm1[i] = q - kStep;
    const double below = Compute(algorithm(), options(), batch).loss;
    batch.q_tm1[i] = q;
    // Exact for parabola and line; a corner of Huber's second derivative costs half a step.
    EXPECT_NEAR(result.dq[i], sum_over_mean * (above - below) / (2 * kStep), 0.003) << i;
  }
}

TEST_P(DqnLossTest, ATerminalsValueDoesNotMatterEvenWhenItIsInfinite) {
  Batch batch = RandomBatch(8, 3, 5);
  batch.discount_t[2] = 0;
  const Result before = Compute(algorithm(), options(), batch);
  for (const float value : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (std::size_t a = 6; a < 9; ++a) batch.q_target_t[a] = batch.q_online_t[a] = value;
    const Result result = Compute(algorithm(), options(), batch);
    EXPECT_EQ(result.loss, before.loss);
    EXPECT_EQ(result.dq, before.dq);
    EXPECT_EQ(result.errors, before.errors);
  }
}

INSTANTIATE_TEST_SUITE_P(
    AllKinds, DqnLossTest,
    testing::Combine(testing::Values("dqn", "double_dqn"),
                     testing::Values(TdErrorLoss::kSquared, TdErrorLoss::kHuber),
                     testing::Values(BatchReduction::kMean, BatchReduction::kSum)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param)) +
             (std::get<1>(info.param) == TdErrorLoss::kSquared ? "Squared" : "Huber") +
             (std::get<2>(info.param) == BatchReduction::kMean ? "Mean" : "Sum");
    });

// One transition by hand: Q(s, .) = (1, 2), action 1, reward 0.5, discount 0.5,
// theta-: (4, 6), theta: (9, 8) at the next state.
Batch OneTransition() {
  return {.num_actions = 2,
          .q_tm1 = {1, 2},
          .a_tm1 = {1},
          .r_t = {0.5F},
          .discount_t = {0.5F},
          .q_target_t = {4, 6},
          .q_online_t = {9, 8}};
}

TEST(DqnLossByHandTest, DqnTakesTheTargetNetworksBest) {
  const Result result = Compute("dqn", {.loss = TdErrorLoss::kSquared}, OneTransition());
  EXPECT_EQ(result.errors[0], 0.5F + 0.5F * 6 - 2);
  EXPECT_EQ(result.loss, 1.5 * 1.5);
  EXPECT_THAT(result.dq, ElementsAre(0, -3));
}

TEST(DqnLossByHandTest, DoubleDqnValuesTheOnlineNetworksBestByTheTargetNetwork) {
  const Result result = Compute("double_dqn", {.loss = TdErrorLoss::kSquared}, OneTransition());
  EXPECT_EQ(result.errors[0], 0.5F + 0.5F * 4 - 2);
  EXPECT_THAT(result.dq, ElementsAre(0, -1));
}

TEST(DqnLossByHandTest, HuberClipsTheSlopeAtOne) {
  const auto at = [](float delta) {
    Batch batch = OneTransition();
    batch.discount_t = {0};
    batch.r_t = {2 + delta};
    return Compute("dqn", {.loss = TdErrorLoss::kHuber}, batch);
  };
  EXPECT_THAT(at(0.5F).dq, ElementsAre(0, -0.5));
  EXPECT_THAT(at(1).dq, ElementsAre(0, -1));
  EXPECT_THAT(at(7).dq, ElementsAre(0, -1));
  EXPECT_THAT(at(-7).dq, ElementsAre(0, 1));
  EXPECT_EQ(at(0.5F).loss, 0.125);
  EXPECT_EQ(at(1).loss, 0.5);
  EXPECT_EQ(at(-7).loss, 6.5);
}

// y = h(r + discount h^-1(Q)), in double precision.
TEST(DqnLossByHandTest, RescaledValuesAreUnscaledBeforeTheyAreDiscounted) {
  Batch batch = OneTransition();
  const AgentOptions options{.loss = TdErrorLoss::kSquared, .value_rescaling = true};
  const double next = UnscaleValue(6);
  const double target = RescaleValue(0.5 + 0.5 * next);
  EXPECT_NEAR(Compute("dqn", options, batch).loss, (target - 2) * (target - 2), 1e-12);
  batch.discount_t = {0};
  const double last = RescaleValue(0.5);
  EXPECT_NEAR(Compute("dqn", options, batch).loss, (last - 2) * (last - 2), 1e-12);
}

TEST(ValueScaleTest, TheInverseUndoesItOverTheRangeOfReturns) {
  for (const double x : {0.0, 1e-6, 0.5, 1.0, 37.0, 1e4, 1e7}) {
    EXPECT_NEAR(UnscaleValue(RescaleValue(x)), x, 1e-9 * (1 + x)) << x;
    EXPECT_EQ(RescaleValue(-x), -RescaleValue(x)) << x;
    EXPECT_EQ(UnscaleValue(-x), -UnscaleValue(x)) << x;
  }
  EXPECT_DOUBLE_EQ(RescaleValue(3), 1 + 0.003);
}

}  // namespace
}  // namespace gorila
