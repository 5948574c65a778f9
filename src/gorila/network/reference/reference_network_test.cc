#include "gorila/network/reference/reference_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::vector<double> Random(std::size_t size, RandomStream& random) {
  std::vector<double> values(size);
  for (double& value : values) value = 2 * random.Uniform() - 1;
  return values;
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST(ReferenceNetworkTest, ComputesASmallNetworkAsByHand) {
  // 1 x 2 x 3 input, one 2x2 filter (1 2; 3 4) with bias -20, then q = 2 f1 - f2 + 0.5.
  const NetworkSpec spec = {.input = {.channels = 1, .height = 2, .width = 3},
                            .convolutions = {{.filters = 1, .kernel = 2, .stride = 1}},
                            .hidden = {},
                            .num_actions = 1};
  const std::vector<double> parameters = {1, 2, 3, 4, -20, 2, -1, 0.5};
  const std::vector<double> inputs = {1, 2, 3, 0, 5, 1};
  // 1 + 4 + 0 + 20 - 20 = 5 and 2 + 6 + 15 + 4 - 20 = 7.
  EXPECT_THAT(ReferenceQValues(spec, parameters, inputs), ElementsAre(DoubleNear(3.5, 1e-12)));
  // d/dweights = 2 * patch 1 - patch 2; d/dbias = 2 - 1.
  EXPECT_THAT(ReferenceGradient(spec, parameters, inputs, std::array{1.0}),
              ElementsAre(0, 1, -5, 9, 1, 5, 7, 1));
}

TEST(ReferenceNetworkTest, InactiveUnitsHaveNoGradient) {
  const NetworkSpec spec = {
      .input = {.channels = 1}, .convolutions = {}, .hidden = {1}, .num_actions = 1};
  const std::vector<double> parameters = {1, -2, 3, 4};  // hidden = relu(1 - 2), q = 3 hidden + 4
  const std::vector<double> inputs = {1};
  EXPECT_THAT(ReferenceQValues(spec, parameters, inputs), ElementsAre(4));
  EXPECT_THAT(ReferenceGradient(spec, parameters, inputs, std::array{1.0}),
              ElementsAre(0, 0, 0, 1));
}

TEST(ReferenceNetworkTest, BytesAndFloatsBecomeScaledInputs) {
  ObservationSpec bytes = {.channels = 2, .height = 1, .width = 1, .scale = 0.5F};
  const std::array<std::uint8_t, 4> values = {0, 1, 254, 255};
  EXPECT_THAT(ReferenceInputs(bytes, std::as_bytes(std::span(values)), 2),
              ElementsAre(0, 0.5, 127, 127.5));

  bytes.element = ElementType::kFloat32;
  const std::array<float, 4> floats = {-1, 2, 0.25F, 8};
  EXPECT_THAT(ReferenceInputs(bytes, std::as_bytes(std::span(floats)), 2),
              ElementsAre(-0.5, 1, 0.125, 4));
}

// One feature f = 3, phi = relu(sum of w_k cos(pi k tau) + b), q = 2 f phi + 0.5.
TEST(ReferenceNetworkTest, ComputesASampledHeadAsByHand) {
  const NetworkSpec spec = {
      .input = {.channels = 1}, .convolutions = {}, .hidden = {}, .num_actions = 1, .taus = 3};
  std::vector<double> parameters(64 + 3);
  parameters[0] = 1;    // of cos(pi tau): k begins with 1
  parameters[1] = 0.5;  // of cos(2 pi tau)
  parameters[64] = 0.25;
  parameters[65] = 2;
  parameters[66] = 0.5;
  const std::vector<double> inputs = {3};
  const std::vector<double> taus = {0, 0.5, 1};
  // phi: 1 + 0.5 + 0.25; 0 - 0.5 + 0.25 < 0; -1 + 0.5 + 0.25 < 0.
  EXPECT_THAT(ReferenceQValues(spec, parameters, inputs, taus),
              ElementsAre(DoubleNear(11, 1e-12), DoubleNear(0.5, 1e-12), DoubleNear(0.5, 1e-12)));
  const std::vector<double> gradient =
      ReferenceGradient(spec, parameters, inputs, std::array{1.0, 1.0, 1.0}, taus);
  EXPECT_NEAR(gradient[0], 6, 1e-12);
  EXPECT_NEAR(gradient[64], 6, 1e-12);
  EXPECT_NEAR(gradient[65], 5.25, 1e-12);
  EXPECT_NEAR(gradient[66], 3, 1e-12);
  // 1/6, 1/2, 5/6: cos(pi / 6) + 0.5 cos(pi / 3) + 0.25.
  EXPECT_NEAR(ReferenceQValues(spec, parameters, inputs).front(),
              6 * (std::sqrt(3.0) / 2 + 0.5) + 0.5, 1e-12);
}

// Central differences of L = dq . q in every parameter.
class ReferenceGradientTest : public testing::TestWithParam<int> {};

TEST_P(ReferenceGradientTest, GradientAgreesWithFiniteDifferences) {
  const NetworkSpec spec = {.input = {.channels = 2, .height = 7, .width = 8, .stack = 2},
                            .convolutions = {{.filters = 5, .kernel = 3, .stride = 2},
                                             {.filters = 4, .kernel = 2, .stride = 1}},
                            .hidden = {6, 5},
                            .num_actions = 3,
                            .taus = GetParam()};
  RandomStream random(11);
  std::vector<double> parameters = Random(MakeParameterLayout(spec).size, random);
  const std::vector<double> inputs = Random(2 * 4 * 7 * 8, random);
  const std::vector<double> dq = Random(static_cast<std::size_t>(2 * spec.outputs()), random);
  std::vector<double> taus(static_cast<std::size_t>(2 * spec.taus));
  for (double& tau : taus) tau = random.Uniform();
  const std::vector<double> gradient = ReferenceGradient(spec, parameters, inputs, dq, taus);
  ASSERT_EQ(gradient.size(), parameters.size());
  constexpr double kStep = 1e-6;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double value = parameters[i];
    parameters[i] = value + kStep;
    const double above = Dot(dq, ReferenceQValues(spec, parameters, inputs, taus));
    parameters[i] = value - kStep;
    const double below = Dot(dq, ReferenceQValues(spec, parameters, inputs, taus));
    parameters[i] = value;
    EXPECT_NEAR(gradient[i], (above - below) / (2 * kStep), 1e-7 * (1 + std::abs(gradient[i])))
        << "parameter " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Taus, ReferenceGradientTest, testing::Values(0, 3));

}  // namespace
}  // namespace gorila
