#include "gorila/network/gemm/im2col.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

constexpr std::size_t kBatch = 3;

std::vector<ConvolutionShape> Shapes() {
  return {
      {.channels = 2,
       .height = 5,
       .width = 6,
       .filters = 1,
       .kernel = 3,
       .stride = 1,
       .out_height = 3,
       .out_width = 4},
      {.channels = 3,
       .height = 7,
       .width = 12,
       .filters = 1,
       .kernel = 2,
       .stride = 1,
       .out_height = 6,
       .out_width = 11},
      {.channels = 1,
       .height = 8,
       .width = 7,
       .filters = 1,
       .kernel = 3,
       .stride = 2,
       .out_height = 3,
       .out_width = 3},
  };
}

PictureStrides ChannelMajor(const ConvolutionShape& s) {
  return {.per_picture = s.height * s.width, .per_channel = kBatch * s.height * s.width};
}

PictureStrides PictureMajor(const ConvolutionShape& s) {
  return {.per_picture = s.inputs(), .per_channel = s.height * s.width};
}

std::vector<float> RandomFloats(std::size_t size, std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.Integer(-8, 9));
  return values;
}

TEST(Im2ColTest, EveryColumnIsThePatchUnderOnePosition) {
  for (const ConvolutionShape& s : Shapes()) {
    for (const PictureStrides strides : {ChannelMajor(s), PictureMajor(s)}) {
      const std::vector<float> pictures = RandomFloats(kBatch * s.inputs() + kIm2ColSlack, 1);
      const std::size_t row = kBatch * s.positions();
      std::vector<float> columns(s.fan_in() * row + kIm2ColSlack);
      Im2Col(s, strides, kBatch, pictures.data(), columns.data());
      for (std::size_t i = 0; i < s.fan_in() * row; ++i) {
        const std::size_t x = i % s.out_width;
        const std::size_t y = i / s.out_width % s.out_height;
        const std::size_t n = i % row / s.positions();
        const std::size_t kx = i / row % s.kernel;
        const std::size_t ky = i / row / s.kernel % s.kernel;
        const std::size_t c = i / row / s.kernel / s.kernel;
        const std::size_t pixel = (y * s.stride + ky) * s.width + x * s.stride + kx;
        ASSERT_EQ(columns[i], pictures[n * strides.per_picture + c * strides.per_channel + pixel])
            << "entry " << i;
      }
    }
  }
}

// <Im2Col(p), c> = <p, Col2Im(c)> for all p and c defines the transpose; small integers are exact.
TEST(Im2ColTest, Col2ImIsTheTranspose) {
  for (const ConvolutionShape& s : Shapes()) {
    const std::size_t inputs = kBatch * s.inputs();
    const std::size_t entries = s.fan_in() * kBatch * s.positions();
    const std::vector<float> pictures = RandomFloats(inputs + kIm2ColSlack, 2);
    const std::vector<float> columns = RandomFloats(entries, 3);
    std::vector<float> forward(entries + kIm2ColSlack);
    std::vector<float> backward(inputs, 99);  // Col2Im overwrites
    Im2Col(s, ChannelMajor(s), kBatch, pictures.data(), forward.data());
    Col2Im(s, ChannelMajor(s), kBatch, columns.data(), backward.data());
    EXPECT_EQ(std::inner_product(columns.begin(), columns.end(), forward.begin(), 0.0),
              std::inner_product(backward.begin(), backward.end(), pictures.begin(), 0.0));
  }
}

}  // namespace
}  // namespace gorila
