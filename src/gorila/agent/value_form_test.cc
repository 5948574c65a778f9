#include "gorila/agent/value_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/agent/value_testing.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ValueFormTest, HeadsHaveTheOutputsOfTheForm) {
  EXPECT_THAT(HeadsOf({.num_actions = 4}), IsEmpty()) << "what a network has anyway";
  EXPECT_THAT(HeadsOf({.kind = ValueKind::kCategorical, .num_actions = 4, .atoms = 51}),
              ElementsAre(HeadSpec{"logits", 204}));
  EXPECT_THAT(HeadsOf({.kind = ValueKind::kQuantiles, .num_actions = 4, .atoms = 8}),
              ElementsAre(HeadSpec{"quantiles", 32}));
  EXPECT_THAT(
      HeadsOf({.kind = ValueKind::kQuantiles, .num_actions = 4, .atoms = 8, .dueling = true}),
      ElementsAre(HeadSpec{"advantage", 32}, HeadSpec{"value", 8}));
  EXPECT_THAT(HeadsOf({.kind = ValueKind::kSampled, .num_actions = 4, .atoms = 8}), IsEmpty());
  EXPECT_THAT(HeadsOf({.kind = ValueKind::kSampled, .num_actions = 4, .atoms = 8, .dueling = true}),
              ElementsAre(HeadSpec{"advantage", 4}, HeadSpec{"value", 1}))
      << "the network computes them for each tau";
}

TEST(ValueFormTest, DuelingCombinesTheOutputsOfEachSampledTau) {
  const ValueForm form{.kind = ValueKind::kSampled, .num_actions = 2, .atoms = 3, .dueling = true};
  const std::vector<float> outputs = {1, 3, /*value*/ 100, 2, 8, 200, 5, 5, 300};
  std::vector<float> scratch(6);
  EXPECT_THAT(Combine(form, outputs, 1, scratch), ElementsAre(99, 101, 197, 203, 300, 300));
  std::vector<float> q(2);
  ActionValues(form, scratch, q);
  EXPECT_THAT(q, ElementsAre((99.0F + 197 + 300) / 3, (101.0F + 203 + 300) / 3));
  EXPECT_EQ(BestAction(form, scratch), 1U);
}

// Two actions of two atoms: each atom has its own value and its own mean advantage.
TEST(ValueFormTest, DuelingCombinesPerAtom) {
  const ValueForm form{
      .kind = ValueKind::kCategorical, .num_actions = 2, .atoms = 2, .dueling = true};
  const std::vector<float> outputs = {1, 2, 5, 10, /*value*/ 100, 200};
  std::vector<float> scratch(4);
  EXPECT_THAT(Combine(form, outputs, 1, scratch),
              ElementsAre(100 + 1 - 3, 200 + 2 - 6, 100 + 5 - 3, 200 + 10 - 6));
}

// Of two games, the first without the action 1, the second without 0.
TEST(ValueFormTest, DuelingTakesTheMeanOfTheActionsThatAGameHas) {
  const ValueForm form{.num_actions = 3, .dueling = true};
  const std::vector<ActionMask> of_games = {{1, 0, 1}, {0, 1, 1}};
  const std::vector<std::int32_t> games = {1, 0};
  const StateActions allowed{.of_games = of_games, .games = games};
  const std::vector<float> outputs = {1, 2, 6, /*value*/ 100, 1, 2, 7, /*value*/ 200};
  std::vector<float> x(6);
  Combine(form, outputs, 2, x, allowed);
  EXPECT_EQ(x[1], 100 + 2 - 4);
  EXPECT_EQ(x[2], 100 + 6 - 4);
  EXPECT_EQ(x[3], 200 + 1 - 4);
  EXPECT_EQ(x[5], 200 + 7 - 4);
  std::vector<float> doutputs(8);
  CombineBackward(form, std::vector<float>{0, 2, 0, 2, 0, 6}, 2, doutputs, allowed);
  EXPECT_THAT(doutputs, ElementsAre(0, 1, -1, 2, -2, 0, 2, 8));
}

TEST(ValueFormTest, WithoutDuelingNothingIsCopied) {
  const std::vector<float> outputs = {1, 2, 3, 4};
  std::vector<float> scratch;
  EXPECT_EQ(Combine({.num_actions = 2}, outputs, 2, scratch).data(), outputs.data());
}

// <dx, Combine(u)> = <CombineBackward(dx), u> for a linear map.
class ValueFormDuelingTest : public testing::TestWithParam<ValueKind> {};

TEST_P(ValueFormDuelingTest, TheBackwardPassIsTheAdjoint) {
  const ValueForm form{.kind = GetParam(), .num_actions = 3, .atoms = 5, .dueling = true};
  constexpr std::size_t kBatch = 2;
  RandomStream random(9);
  const auto floats = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(2 * random.Uniform() - 1);
    return values;
  };
  const auto dot = [](std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
  };
  const std::vector<float> outputs = floats(kBatch * 20);
  const std::vector<float> dx = floats(kBatch * 15);
  std::vector<float> scratch(kBatch * 15);
  std::vector<float> doutputs(kBatch * 20);
  CombineBackward(form, dx, kBatch, doutputs);
  EXPECT_NEAR(dot(dx, Combine(form, outputs, kBatch, scratch)), dot(doutputs, outputs), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ValueFormDuelingTest,
                         testing::Values(ValueKind::kQuantiles, ValueKind::kSampled));

TEST(ValueFormTest, ValuesAreTheMeansOfDistributions) {
  RandomStream random(10);
  for (const ValueKind kind :
       {ValueKind::kExpectation, ValueKind::kCategorical, ValueKind::kQuantiles}) {
    const ValueForm form{.kind = kind,
                         .num_actions = 3,
                         .atoms = kind == ValueKind::kExpectation ? 1 : 7,
                         .low = -5,
                         .high = 13};
    std::vector<float> x(form.size());
    for (float& value : x) value = static_cast<float>(20 * random.Uniform() - 10);
    std::vector<float> q(3);
    ActionValues(form, x, q);
    const auto atoms = static_cast<std::size_t>(form.atoms);
    for (std::size_t a = 0; a < 3; ++a) {
      EXPECT_NEAR(q[a], ReferenceValue(form, std::span(x).subspan(a * atoms, atoms)), 1e-5);
    }
    EXPECT_EQ(BestAction(form, x), ReferenceBest(form, x));
  }
}

TEST(ValueFormTest, SoftmaxOfLargeLogitsStaysFinite) {
  std::vector<float> p = {1000, 1000, -1000};
  Softmax(p, p);
  EXPECT_EQ(p[0], 0.5F);
  EXPECT_EQ(p[1], 0.5F);
  EXPECT_LT(p[2], 1e-37F);
}

}  // namespace
}  // namespace gorila
