#include "gorila/network/onednn/space_to_depth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;

ConvolutionShape Shape(std::size_t channels, std::size_t height, std::size_t width,
                       std::size_t kernel, std::size_t stride) {
  return {.channels = channels,
          .height = height,
          .width = width,
          .filters = 3,
          .kernel = kernel,
          .stride = stride,
          .out_height = (height - kernel) / stride + 1,
          .out_width = (width - kernel) / stride + 1};
}

// One convolution without bias of pictures that lie channel block by channel block; small integers
// make it exact.
std::vector<float> Convolve(const ConvolutionShape& s, std::size_t block,
                            const std::vector<float>& weights, const std::vector<float>& picture) {
  const std::size_t pixels = s.height * s.width;
  std::vector<float> outputs;
  for (std::size_t f = 0; f < s.filters; ++f) {
    for (std::size_t position = 0; position < s.positions(); ++position) {
      float sum = 0;
      for (std::size_t w = 0; w < s.fan_in(); ++w) {
        const std::size_t c = w / s.kernel / s.kernel;
        const std::size_t y = position / s.out_width * s.stride + w / s.kernel % s.kernel;
        const std::size_t x = position % s.out_width * s.stride + w % s.kernel;
        sum += weights[f * s.fan_in() + w] *
               picture[(c / block * pixels + y * s.width + x) * block + c % block];
      }
      outputs.push_back(sum);
    }
  }
  return outputs;
}

TEST(SpaceToDepthTest, NatureDqnsFirstLayerBecomesTwoByTwoOnSixtyFourChannels) {
  const ConvolutionShape folded = FoldShape(Shape(4, 84, 84, 8, 4));
  EXPECT_EQ(folded.channels, 64U);
  EXPECT_EQ(folded.height, 21U);
  EXPECT_EQ(folded.width, 21U);
  EXPECT_EQ(folded.kernel, 2U);
  EXPECT_EQ(folded.stride, 1U);
  EXPECT_EQ(folded.out_height, 20U);
  EXPECT_EQ(folded.out_width, 20U);
}

TEST(SpaceToDepthTest, StrideThatDoesNotDivideTheKernelIsLeftAlone) {
  EXPECT_EQ(TileOf(Shape(1, 9, 9, 3, 2)), 1U);
  const ConvolutionShape shape = FoldShape(Shape(2, 9, 8, 3, 2));
  EXPECT_EQ(shape.channels, 2U);
  EXPECT_EQ(shape.height, 9U);
  EXPECT_EQ(shape.width, 8U);
  EXPECT_EQ(shape.kernel, 3U);
  EXPECT_EQ(shape.stride, 2U);
}

TEST(SpaceToDepthTest, FoldedConvolutionGivesTheSameResults) {
  for (const ConvolutionShape& shape : {Shape(4, 17, 18, 8, 4), Shape(2, 9, 10, 4, 2),
                                        Shape(3, 7, 6, 3, 3), Shape(2, 5, 5, 3, 1)}) {
    const ObservationSpec spec = {.channels = static_cast<int>(shape.channels),
                                  .height = static_cast<int>(shape.height),
                                  .width = static_cast<int>(shape.width),
                                  .scale = 0.5F};
    RandomStream random(1);
    std::vector<std::byte> bytes(shape.inputs());
    std::vector<float> picture;
    for (std::byte& byte : bytes) {
      const int value = random.Integer(0, 10);
      byte = static_cast<std::byte>(value);
      picture.push_back(0.5F * static_cast<float>(value));
    }
    std::vector<float> weights(shape.filters * shape.fan_in());
    for (float& weight : weights) weight = static_cast<float>(random.Integer(-5, 6));
    const std::vector<float> expected = Convolve(shape, 1, weights, picture);

    const ConvolutionShape folded = FoldShape(shape);
    std::vector<float> folded_weights(weights.size());
    FoldWeights(shape, 1, weights.data(), folded_weights.data());
    const std::size_t tile = TileOf(shape) * TileOf(shape);
    for (const std::size_t block : {tile, folded.channels}) {
      std::vector<float> folded_picture(folded.inputs());
      FoldObservations(spec, shape, block, bytes, 1, folded_picture.data());
      EXPECT_EQ(Convolve(folded, block, folded_weights, folded_picture), expected);
    }
  }
}

TEST(SpaceToDepthTest, UnfoldingWeightsReversesFolding) {
  const ConvolutionShape shape = Shape(2, 8, 8, 4, 2);
  std::vector<float> weights(shape.filters * shape.fan_in());
  std::iota(weights.begin(), weights.end(), 0.0F);
  std::vector<float> folded(weights.size());
  std::vector<float> unfolded(weights.size());
  FoldWeights(shape, 1, weights.data(), folded.data());
  UnfoldWeights(shape, 1, folded.data(), unfolded.data());
  EXPECT_NE(weights, folded);
  EXPECT_EQ(weights, unfolded);
}

// As FoldedConvolutionGivesTheSameResults, in what holds them exactly.
TEST(SpaceToDepthTest, Bfloat16GetsTheSameObservations) {
  for (const ConvolutionShape& shape : {Shape(4, 17, 18, 8, 4), Shape(2, 9, 10, 4, 2)}) {
    for (const float scale : {1.0F, 0.5F}) {
      const ObservationSpec spec = {.channels = static_cast<int>(shape.channels),
                                    .height = static_cast<int>(shape.height),
                                    .width = static_cast<int>(shape.width),
                                    .scale = scale};
      RandomStream random(1);
      std::vector<std::byte> bytes(2 * shape.inputs());
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.Integer(0, 256));
      const ConvolutionShape folded = FoldShape(shape);
      std::vector<float> floats(2 * folded.inputs());
      std::vector<Bfloat16> narrow(floats.size());
      FoldObservations(spec, shape, folded.channels, bytes, 2, floats.data());
      FoldObservations(spec, shape, folded.channels, bytes, 2, narrow.data());
      for (std::size_t i = 0; i < floats.size(); ++i) ASSERT_EQ(Widen(narrow[i]), floats[i]) << i;
    }
  }
}

TEST(SpaceToDepthTest, OnlyWholePairsOfColumnsAreOne) {
  EXPECT_TRUE(CanPairColumns(Shape(2, 9, 10, 4, 2)));
  EXPECT_FALSE(CanPairColumns(Shape(2, 10, 9, 4, 2)));  // a row ends within a pair
  EXPECT_FALSE(CanPairColumns(Shape(2, 9, 10, 3, 2)));
  EXPECT_FALSE(CanPairColumns(Shape(2, 9, 10, 4, 1)));
}

// filters x channels x y x x of one filter and two channels, x = 0 and 1 become channels.
TEST(SpaceToDepthTest, PairedWeightsHaveTheEvenColumnsFirst) {
  ConvolutionShape shape = Shape(2, 2, 2, 2, 2);
  shape.filters = 1;
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> paired(weights.size());
  PairWeights(shape, weights.data(), paired.data());
  EXPECT_THAT(paired, ElementsAre(1, 3, 5, 7, 2, 4, 6, 8));
  std::vector<float> unpaired(weights.size());
  UnpairWeights(shape, paired.data(), unpaired.data());
  EXPECT_EQ(unpaired, weights);
}

TEST(SpaceToDepthTest, FloatsAreReadFromAnyByte) {
  const ConvolutionShape shape = Shape(1, 2, 2, 2, 2);
  const ObservationSpec spec = {
      .height = 2, .width = 2, .element = ElementType::kFloat32, .scale = 2};
  const std::vector<float> values = {1, -2, 3.5F, 0};
  std::vector<std::byte> bytes(1 + 4 * sizeof(float));
  std::memcpy(&bytes[1], values.data(), 4 * sizeof(float));
  std::vector<float> folded(4);
  FoldObservations(spec, shape, 4, std::span(bytes).subspan(1), 1, folded.data());
  EXPECT_THAT(folded, ElementsAre(2, -4, 7, 0));
}

}  // namespace
}  // namespace gorila
