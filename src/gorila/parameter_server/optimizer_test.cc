// Each optimizer against its published formula, written here in double precision for one parameter.
#include "gorila/parameter_server/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;

// One parameter with its optimizer's state.
struct Scalar {
  double value = 0;
  double first = 0;   // sum of squares, or mean
  double second = 0;  // mean square
  double third = 0;   // steps
};

using Formula = void (*)(Scalar& x, double g, double rate, double t);

constexpr double kDecay = 0.95;
constexpr double kMomentum = 0.9;
constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 0.01;
constexpr double kInitial = 0.1;

void Sgd(Scalar& x, double g, double rate, double) { x.value -= rate * g; }

void AdaGrad(Scalar& x, double g, double rate, double t) {
  if (t == 1) x.first = kInitial;
  x.first += g * g;
  x.value -= rate * g / std::sqrt(x.first + kEpsilon);
}

// As DQN's released code has it: tmp = sqrt(g2 - g * g + 0.01), w -= rate * dw / tmp.
void CentredRmsProp(Scalar& x, double g, double rate, double) {
  x.first = kDecay * x.first + (1 - kDecay) * g;
  x.second = kDecay * x.second + (1 - kDecay) * g * g;
  x.value -= rate * g / std::sqrt(x.second - x.first * x.first + kEpsilon);
}

// As TensorFlow's RMSPropOptimizer has it with momentum 0: its rms slot is initialised to ones.
void UncentredRmsProp(Scalar& x, double g, double rate, double t) {
  if (t == 1) x.first = 1;
  x.first += (1 - kDecay) * (g * g - x.first);
  x.value -= rate * g / std::sqrt(x.first + kEpsilon);
}

// As PyTorch's RMSprop has it with centered and momentum: buf = momentum * buf + g / (sqrt(v) +
// eps).
void MomentumRmsProp(Scalar& x, double g, double rate, double) {
  x.first = kDecay * x.first + (1 - kDecay) * g;
  x.second = kDecay * x.second + (1 - kDecay) * g * g;
  x.third = kMomentum * x.third + g / (std::sqrt(x.second - x.first * x.first) + kEpsilon);
  x.value -= rate * x.third;
}

// As the paper's Algorithm 1 has it, with bias-corrected moments.
void Adam(Scalar& x, double g, double rate, double t) {
  x.first = kBeta1 * x.first + (1 - kBeta1) * g;
  x.second = kBeta2 * x.second + (1 - kBeta2) * g * g;
  const double mean = x.first / (1 - std::pow(kBeta1, t));
  const double mean_square = x.second / (1 - std::pow(kBeta2, t));
  x.value -= rate * mean / (std::sqrt(mean_square) + kEpsilon);
}

OptimizerOptions Options(std::string_view name) {
  return {.name = std::string(name),
          .epsilon = kEpsilon,
          .decay = kDecay,
          .momentum = kMomentum,
          .beta1 = kBeta1,
          .beta2 = kBeta2,
          .initial_accumulator = kInitial};
}

struct Case {
  std::string_view name;
  Formula formula;
};

class OptimizerFormulaTest : public testing::TestWithParam<Case> {};

TEST_P(OptimizerFormulaTest, FollowsThePublishedRule) {
  constexpr std::size_t kSize = 37;
  constexpr float kRate = 0.125F;
  RandomStream random(41);
  auto optimizer = MakeOptimizer(Options(GetParam().name), kSize).value();
  std::vector<float> values(kSize);
  std::vector<Scalar> expected(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    values[i] = static_cast<float>(2 * random.Uniform() - 1);
    expected[i].value = static_cast<double>(values[i]);
  }
  std::vector<float> gradient(kSize);
  for (int t = 1; t <= 25; ++t) {
    for (std::size_t i = 0; i < kSize; ++i) {
      // Sizes from 0.01 to 10; some exactly 0, as those of units that were off.
      const double size = std::pow(10.0, static_cast<double>(i % 4) - 2);
      gradient[i] =
          i % 5 == 4 && t % 2 == 0 ? 0 : static_cast<float>(size * (2 * random.Uniform() - 1));
      GetParam().formula(expected[i], static_cast<double>(gradient[i]), static_cast<double>(kRate),
                         t);
    }
    optimizer->Apply(values, gradient, kRate, t);
    for (std::size_t i = 0; i < kSize; ++i) {
      ASSERT_NEAR(values[i], expected[i].value, 1e-5 * (1 + std::abs(expected[i].value)))
          << "step " << t << ", parameter " << i;
    }
  }
  for (std::size_t k = 0; k < optimizer->slots().size(); ++k) {
    for (std::size_t i = 0; i < kSize; ++i) {
      const double state = std::array{expected[i].first, expected[i].second, expected[i].third}[k];
      EXPECT_NEAR(optimizer->slots()[k].values[i], state, 1e-5 * (1 + std::abs(state)))
          << "slot " << k << ", parameter " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Optimizers, OptimizerFormulaTest,
                         testing::Values(Case{"sgd", &Sgd}, Case{"adagrad", &AdaGrad},
                                         Case{"rmsprop", &CentredRmsProp},
                                         Case{"rmsprop_uncentred", &UncentredRmsProp},
                                         Case{"rmsprop_momentum", &MomentumRmsProp},
                                         Case{"adam", &Adam}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(OptimizerTest, RmsPropStaysFiniteWhenTheVarianceRoundsBelowZero) {
  OptimizerOptions options = Options("rmsprop");
  options.epsilon = 1e-12;
  auto optimizer = MakeOptimizer(options, 64).value();
  std::vector<float> values(64);
  std::vector<float> gradient(64);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    gradient[i] = 0.1F + 0.37F * static_cast<float>(i);
  for (int t = 1; t <= 1000; ++t) optimizer->Apply(values, gradient, 1e-6F, t);
  for (const float value : values) {
    EXPECT_TRUE(std::isfinite(value));
    EXPECT_LT(value, 0);
  }
}

TEST(OptimizerTest, UncentredRmsPropStartsFromAMeanSquareOfOneWhateverTheAccumulator) {
  for (const double accumulator : {0.0, 7.0}) {
    OptimizerOptions options = Options("rmsprop_uncentred");
    options.decay = 0.99;
    options.epsilon = 0.25;
    options.initial_accumulator = accumulator;
    auto optimizer = MakeOptimizer(options, 1).value();
    std::vector<float> values = {0};
    optimizer->Apply(values, std::vector<float>{2}, 1, 1);
    EXPECT_NEAR(values[0], -2 / std::sqrt(0.99 + 0.01 * 4 + 0.25), 1e-6);
  }
}

TEST(OptimizerTest, UnknownNameIsRefusedWithTheNearestOne) {
  const Status status = MakeOptimizer(Options("adagrd"), 3).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("optimizer.name is 'adagrd'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'adagrad'"));
}

// What every row of the table must do.
class OptimizerBatteryTest : public testing::TestWithParam<OptimizerRow> {};

TEST_P(OptimizerBatteryTest, HasOneStateElementForEachParameter) {
  const auto optimizer = GetParam().make(Options(GetParam().name), 29);
  for (const Optimizer::Slot& slot : optimizer->slots()) {
    EXPECT_EQ(slot.values.size(), 29u) << slot.name;
    EXPECT_FALSE(slot.name.empty());
  }
}

TEST_P(OptimizerBatteryTest, AZeroGradientChangesNothing) {
  const auto optimizer = GetParam().make(Options(GetParam().name), 3);
  std::vector<float> values = {1.5F, -2, 0};
  const std::vector<float> before = values;
  optimizer->Apply(values, std::vector<float>(3), 0.1F, 1);
  EXPECT_EQ(values, before);
}

TEST_P(OptimizerBatteryTest, DescendsAQuadratic) {
  const std::vector<float> minimum = {0.5F, -1, 0.25F, 0};
  const auto optimizer = GetParam().make(Options(GetParam().name), minimum.size());
  std::vector<float> values(minimum.size());
  std::vector<float> gradient(minimum.size());
  constexpr int kSteps = 3000;
  for (int t = 1; t <= kSteps; ++t) {
    for (std::size_t i = 0; i < values.size(); ++i) gradient[i] = values[i] - minimum[i];
    // Falls, because steps with momentum are as long as ever near the minimum.
    optimizer->Apply(values, gradient, 0.1F * static_cast<float>(kSteps - t) / kSteps, t);
  }
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], minimum[i], 0.01) << i;
}

INSTANTIATE_TEST_SUITE_P(Table, OptimizerBatteryTest,
                         testing::ValuesIn(OptimizerTable().begin(), OptimizerTable().end()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(LearningRateTest, IsConstantUnlessAnEndIsGiven) {
  OptimizerOptions options;
  options.learning_rate = 0.3;
  options.decay_updates = 100;
  EXPECT_EQ(LearningRate(options, 1), 0.3);
  EXPECT_EQ(LearningRate(options, 1000), 0.3);
  options.learning_rate_end = 0.1;
  options.decay_updates = 0;
  EXPECT_EQ(LearningRate(options, 1000), 0.3);
}

TEST(LearningRateTest, FallsLinearlyToItsEndAndStaysThere) {
  const OptimizerOptions options{
      .learning_rate = 0.5, .learning_rate_end = 0.1, .decay_updates = 8};
  EXPECT_EQ(LearningRate(options, 1), 0.5) << "the first update";
  EXPECT_DOUBLE_EQ(LearningRate(options, 2), 0.45);
  EXPECT_DOUBLE_EQ(LearningRate(options, 5), 0.3);
  EXPECT_DOUBLE_EQ(LearningRate(options, 9), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(options, 10), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(options, 1000000), 0.1);
}

TEST(LearningRateTest, MayFallToZero) {
  const OptimizerOptions options{.learning_rate = 0.5, .learning_rate_end = 0, .decay_updates = 2};
  EXPECT_DOUBLE_EQ(LearningRate(options, 2), 0.25);
  EXPECT_EQ(LearningRate(options, 3), 0);
}

}  // namespace
}  // namespace gorila
