#include "gorila/network/parameter_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gorila {
namespace {

NetworkSpec TwoByTwo() {
  return {.input = {.channels = 3, .height = 8, .width = 7, .stack = 2},
          .convolutions = {{.filters = 5, .kernel = 3, .stride = 1},
                           {.filters = 4, .kernel = 2, .stride = 2}},
          .hidden = {9, 8},
          .num_actions = 2};
}

TEST(ParameterLayoutTest, WeightThenBiasLayerByLayerAsPyTorchOrdersThem) {
  const ParameterLayout layout = MakeParameterLayout(TwoByTwo());
  // conv1 gives 5 x 6 x 5, conv2 4 x 3 x 2.
  const std::vector<ParameterTensor> expected = {
      {.name = "conv1.weight", .shape = {5, 6, 3, 3}, .offset = 0, .size = 270, .fan_in = 54},
      {.name = "conv1.bias", .shape = {5}, .offset = 270, .size = 5, .fan_in = 54},
      {.name = "conv2.weight", .shape = {4, 5, 2, 2}, .offset = 275, .size = 80, .fan_in = 20},
      {.name = "conv2.bias", .shape = {4}, .offset = 355, .size = 4, .fan_in = 20},
      {.name = "fc1.weight", .shape = {9, 24}, .offset = 359, .size = 216, .fan_in = 24},
      {.name = "fc1.bias", .shape = {9}, .offset = 575, .size = 9, .fan_in = 24},
      {.name = "fc2.weight", .shape = {8, 9}, .offset = 584, .size = 72, .fan_in = 9},
      {.name = "fc2.bias", .shape = {8}, .offset = 656, .size = 8, .fan_in = 9},
      {.name = "q.weight", .shape = {2, 8}, .offset = 664, .size = 16, .fan_in = 8},
      {.name = "q.bias", .shape = {2}, .offset = 680, .size = 2, .fan_in = 8},
  };
  EXPECT_EQ(layout.tensors, expected);
  EXPECT_EQ(layout.size, 682U);
}

// The embedding is not noisy: the sigmas are those of the layers after it.
TEST(ParameterLayoutTest, TheEmbeddingOfTauComesBetweenConvolutionsAndDenseLayers) {
  NetworkSpec spec = TwoByTwo();
  spec.hidden = {9};
  spec.noise = 0.5;
  spec.taus = 8;
  const ParameterLayout layout = MakeParameterLayout(spec);
  ASSERT_EQ(layout.tensors.size(), 14U);
  const ParameterTensor weight{
      .name = "tau.weight", .shape = {24, 64}, .offset = 359, .size = 1536, .fan_in = 64};
  const ParameterTensor bias{
      .name = "tau.bias", .shape = {24}, .offset = 1895, .size = 24, .fan_in = 64};
  EXPECT_EQ(layout.tensors[4], weight);
  EXPECT_EQ(layout.tensors[5], bias);
  EXPECT_EQ(layout.tensors[6].name, "fc1.weight");
  EXPECT_EQ(layout.tensors[10].name, "fc1.weight_sigma");
  spec.taus = 3;
  EXPECT_EQ(MakeParameterLayout(spec).Fingerprint(), layout.Fingerprint())
      << "a network does not depend on how often it is sampled";
}

TEST(ParameterLayoutTest, FingerprintTellsShapesApartAndStaysTheSame) {
  const std::uint64_t original = MakeParameterLayout(TwoByTwo()).Fingerprint();
  EXPECT_EQ(original, MakeParameterLayout(TwoByTwo()).Fingerprint());

  NetworkSpec other = TwoByTwo();
  other.num_actions = 3;
  EXPECT_NE(original, MakeParameterLayout(other).Fingerprint());

  // As many parameters, in other shapes.
  ParameterLayout transposed = MakeParameterLayout(TwoByTwo());
  std::reverse(transposed.tensors[4].shape.begin(), transposed.tensors[4].shape.end());
  EXPECT_NE(original, transposed.Fingerprint());
}

TEST(ParameterLayoutTest, FingerprintIsFnv1aOfNamesAndShapes) {
  ParameterLayout layout;
  EXPECT_EQ(layout.Fingerprint(), 0xcbf29ce484222325U);  // of nothing: FNV's offset basis
  layout.tensors = {{.name = "q", .shape = {2, 8}}};
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : std::string("q,2,8;"))
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  EXPECT_EQ(layout.Fingerprint(), hash);
}

TEST(ParameterLayoutTest, InitialWeightsAndBiasesFillTheirIntervalEvenly) {
  NetworkSpec spec = TwoByTwo();
  spec.hidden = {2000, 3000};
  const ParameterLayout layout = MakeParameterLayout(spec);
  RandomStream random(7);
  const std::vector<float> values = InitialParameters(layout, random);
  ASSERT_EQ(values.size(), layout.size);
  for (const ParameterTensor& tensor : layout.tensors) {
    const double bound = 1 / std::sqrt(tensor.fan_in);
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(tensor.offset);
    const auto last = first + static_cast<std::ptrdiff_t>(tensor.size);
    EXPECT_GE(*std::min_element(first, last), -bound) << tensor.name;
    EXPECT_LE(*std::max_element(first, last), bound) << tensor.name;
    if (tensor.size < 1000) continue;
    // Mean 0 and variance bound^2 / 3, each within five standard errors.
    const double n = static_cast<double>(tensor.size);
    const double mean = std::accumulate(first, last, 0.0) / n;
    const double square = std::inner_product(first, last, first, 0.0) / n;
    EXPECT_NEAR(mean / bound, 0, 5 * std::sqrt(1 / (3 * n))) << tensor.name;
    EXPECT_NEAR(square / (bound * bound), 1.0 / 3, 5 * std::sqrt(4 / (45 * n))) << tensor.name;
  }
}

TEST(ParameterLayoutTest, InitialParametersFollowTheStream) {
  const ParameterLayout layout = MakeParameterLayout(TwoByTwo());
  RandomStream one(1);
  RandomStream same(1);
  RandomStream other(2);
  const std::vector<float> values = InitialParameters(layout, one);
  EXPECT_EQ(values, InitialParameters(layout, same));
  EXPECT_NE(values, InitialParameters(layout, other));
  EXPECT_NE(values, InitialParameters(layout, one));
}

}  // namespace
}  // namespace gorila
