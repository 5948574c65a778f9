#include "gorila/network/noisy_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "gorila/base/finite.h"
#include "gorila/network/network_samples.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/noise_table.h"

namespace gorila {
namespace {

using ::testing::Each;

NetworkSpec Noisy() {
  return {.input = {.channels = 2, .height = 6, .width = 5},
          .convolutions = {{.filters = 4, .kernel = 3, .stride = 1}},
          .hidden = {7},
          .num_actions = 3,
          .heads = {{.name = "advantage", .width = 6}, {.name = "value", .width = 2}},
          .noise = 0.5};
}

constexpr int kBatch = 4;

// Backend and taus.
class NoisyNetworkTest : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  NoisyNetworkTest() {
    spec_.taus = std::get<1>(GetParam());
    layout_ = MakeParameterLayout(spec_);
    RandomStream random(3);
    parameters_ = InitialParameters(layout_, random);
    observations_ = RandomObservations(spec_.input, kBatch, random, 2);
    doutputs_ = RandomFloats(static_cast<std::size_t>(kBatch * spec_.outputs()), random);
  }

  std::unique_ptr<QNetwork> Make() const {
    auto network = MakeQNetwork(backend(), spec_, kBatch).value();
    network->SetParameters(parameters_);
    return network;
  }
  std::vector<float> Outputs(QNetwork& network) const {
    std::vector<float> outputs(static_cast<std::size_t>(kBatch * spec_.outputs()));
    network.Forward(observations_, kBatch, outputs);
    return outputs;
  }
  std::vector<float> Gradient(QNetwork& network) const {
    std::vector<float> gradient(layout_.size);
    network.Backward(doutputs_, gradient);
    return gradient;
  }

  // What a network without noise computes with means + sigmas * noise, where the noise is drawn
  // layer by layer, inputs before outputs.
  std::vector<float> EffectiveParameters(RandomStream random) const {
    std::vector<float> values(parameters_.begin(),
                              parameters_.begin() + static_cast<std::ptrdiff_t>(Means()));
    const NetworkShape shape = MakeNetworkShape(spec_);
    std::size_t at = shape.dense_offset();
    for (const DenseShape& layer : shape.dense) {
      std::vector<float> in(layer.inputs), out(layer.outputs);
      DrawNoiseFactors(random, in);
      DrawNoiseFactors(random, out);
      for (const float of_output : out) {
        for (const float of_input : in) {
          values[at] += Sigma(at) * (of_output * of_input);
          ++at;
        }
      }
      for (const float of_output : out) {
        values[at] += Sigma(at) * of_output;
        ++at;
      }
    }
    return values;
  }
  std::size_t Means() const { return MakeNetworkShape(spec_).parameters(); }
  float Sigma(std::size_t mean) const {
    return parameters_[Means() + mean - MakeNetworkShape(spec_).dense_offset()];
  }

  const std::string& backend() const { return std::get<0>(GetParam()); }

  NetworkSpec spec_ = Noisy();
  ParameterLayout layout_;
  std::vector<float> parameters_;
  std::vector<std::byte> observations_;
  std::vector<float> doutputs_;
};

TEST_P(NoisyNetworkTest, WithoutADrawItIsTheNetworkOfItsMeans) {
  NetworkSpec quiet = spec_;
  quiet.noise = 0;
  const auto means = MakeQNetwork(backend(), quiet, kBatch).value();
  means->SetParameters(std::span(parameters_).first(Means()));
  const auto noisy = Make();
  RandomStream random(9);
  noisy->Redraw(random);
  EXPECT_NE(Outputs(*noisy), Outputs(*means));
  noisy->SetParameters(parameters_);
  EXPECT_EQ(Outputs(*noisy), Outputs(*means));
  const std::vector<float> gradient = Gradient(*noisy);
  EXPECT_THAT(
      std::vector<float>(gradient.begin() + static_cast<std::ptrdiff_t>(Means()), gradient.end()),
      Each(0.0F))
      << "no noise, nothing to learn of it";
}

TEST_P(NoisyNetworkTest, ADrawAddsSigmaTimesFactoredNoise) {
  NetworkSpec quiet = spec_;
  quiet.noise = 0;
  const auto plain = MakeQNetwork(backend(), quiet, kBatch).value();
  const auto noisy = Make();
  RandomStream random(9);
  for (int draw = 0; draw < 2; ++draw) {
    const std::vector<float> values = EffectiveParameters(random);
    plain->SetParameters(values);
    noisy->Redraw(random);
    const std::vector<float> outputs = Outputs(*noisy);
    const std::vector<float> expected = Outputs(*plain);
    for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_NEAR(outputs[i], expected[i], 1e-5);
  }
}

TEST_P(NoisyNetworkTest, TheGradientOfASigmaIsThatOfItsMeanTimesTheNoise) {
  const auto noisy = Make();
  RandomStream random(9);
  const std::vector<float> values = EffectiveParameters(random);
  noisy->Redraw(random);
  Outputs(*noisy);
  const std::vector<float> gradient = Gradient(*noisy);
  const std::size_t first = MakeNetworkShape(spec_).dense_offset();
  for (std::size_t i = first; i < Means(); ++i) {
    const float noise = (values[i] - parameters_[i]) / Sigma(i);
    EXPECT_NEAR(gradient[Means() + i - first], gradient[i] * noise, 2e-5 * (1 + std::abs(noise)));
  }
}

// Here only those of the sigmas are too large: the noise makes them so.
TEST_P(NoisyNetworkTest, WhatItSaysOfItsGradientIsSo) {
  const auto largest = [](std::span<const float> values) {
    float most = 0;
    for (const float value : values) most = std::max(most, std::abs(value));
    return most;
  };
  const auto noisy = Make();
  RandomStream random(9);
  float of_means = 1, of_sigmas = 0;
  while (of_sigmas <= of_means) {  // which depends on the draw
    noisy->Redraw(random);
    Outputs(*noisy);
    const std::vector<float> gradient = Gradient(*noisy);
    EXPECT_TRUE(noisy->GradientIsFinite().value_or(true));
    of_means = largest(std::span(gradient).first(Means()));
    of_sigmas = largest(std::span(gradient).subspan(Means()));
  }
  for (float& value : doutputs_) value *= 0x1p64F / std::sqrt(of_means * of_sigmas);
  const std::vector<float> gradient = Gradient(*noisy);
  ASSERT_TRUE(SquaresAreFinite(std::span(gradient).first(Means())));
  ASSERT_FALSE(SquaresAreFinite(gradient));
  EXPECT_FALSE(noisy->GradientIsFinite().value_or(false));
}

INSTANTIATE_TEST_SUITE_P(Backends, NoisyNetworkTest,
                         testing::Combine(testing::Values("gemm", "onednn", "reference"),
                                          testing::Values(0, 3)));

TEST(NoisyLayoutTest, SigmasFollowAllMeansAndBeginAtSigmaZeroOverTheRootOfTheInputs) {
  const ParameterLayout layout = MakeParameterLayout(Noisy());
  std::vector<std::string> names;
  for (const ParameterTensor& tensor : layout.tensors) names.push_back(tensor.name);
  EXPECT_THAT(names, testing::ElementsAre("conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias",
                                          "advantage.weight", "value.weight", "advantage.bias",
                                          "value.bias", "fc1.weight_sigma", "fc1.bias_sigma",
                                          "advantage.weight_sigma", "value.weight_sigma",
                                          "advantage.bias_sigma", "value.bias_sigma"));
  RandomStream random(1);
  const std::vector<float> parameters = InitialParameters(layout, random);
  const ParameterTensor& sigma = layout.tensors[8];
  EXPECT_EQ(sigma.shape, (std::vector<int>{7, 48}));
  EXPECT_FLOAT_EQ(parameters[sigma.offset], 0.5F / std::sqrt(48.0F));
  EXPECT_FLOAT_EQ(parameters.back(), 0.5F / std::sqrt(7.0F));
}

TEST(NoiseFactorsTest, TheirSquaresSignsAndExtremesAreThoseOfNormalDraws) {
  std::vector<float> factors(400000);
  RandomStream random(4);
  DrawNoiseFactors(random, factors);
  double sum = 0;
  double squares = 0;  // of f: E|e| = sqrt(2 / pi)
  double fourths = 0;  // E e^2 = 1
  double most = 0;
  for (const float factor : factors) {
    const auto f = static_cast<double>(factor);
    sum += f;
    squares += f * f;
    fourths += f * f * f * f;
    most = std::max(most, f);
  }
  const auto count = static_cast<double>(factors.size());
  EXPECT_NEAR(sum / count, 0, 0.005);
  EXPECT_NEAR(squares / count, std::sqrt(2 / std::acos(-1.0)), 0.005);
  EXPECT_NEAR(fourths / count, 1, 0.01);
  EXPECT_NEAR(most * most, 3.67, 0.05);
}

}  // namespace
}  // namespace gorila
