#include "gorila/env/atari/screen_resizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gorila/base/random.h"

namespace gorila::atari {
namespace {

using Pixels = std::vector<std::uint8_t>;

Pixels Resized(const Pixels& source, int height, int width, int size, ScreenResize filter) {
  Pixels destination(static_cast<std::size_t>(size * size), 77);
  ScreenResizer(height, width, size, filter).Resize(source, destination);
  return destination;
}

// One output pixel straight from the definitions, in floating point and in two dimensions at once.
double Exact(const Pixels& source, int height, int width, int size, ScreenResize filter, int y,
             int x) {
  const double sy = static_cast<double>(height) / size;
  const double sx = static_cast<double>(width) / size;
  const auto pixel = [&](int row, int column) {
    row = std::clamp(row, 0, height - 1);
    column = std::clamp(column, 0, width - 1);
    return static_cast<double>(source[static_cast<std::size_t>(row * width + column)]);
  };
  if (filter == ScreenResize::kBilinear) {
    const double cy = (y + 0.5) * sy - 0.5;
    const double cx = (x + 0.5) * sx - 0.5;
    const int top = static_cast<int>(std::floor(cy));
    const int left = static_cast<int>(std::floor(cx));
    const double fy = cy - top;
    const double fx = cx - left;
    return (1 - fy) * ((1 - fx) * pixel(top, left) + fx * pixel(top, left + 1)) +
           fy * ((1 - fx) * pixel(top + 1, left) + fx * pixel(top + 1, left + 1));
  }
  double sum = 0;
  double area = 0;
  for (int row = 0; row < height; ++row) {
    const double h = std::min<double>(row + 1, (y + 1) * sy) - std::max<double>(row, y * sy);
    if (h <= 0) continue;
    for (int column = 0; column < width; ++column) {
      const double w =
          std::min<double>(column + 1, (x + 1) * sx) - std::max<double>(column, x * sx);
      if (w <= 0) continue;
      sum += h * w * pixel(row, column);
      area += h * w;
    }
  }
  return sum / area;
}

// By hand.
TEST(ScreenResizerTest, HalfTheSizeByHand) {
  const Pixels source = {10, 20, 30,  40,   //
                         50, 60, 70,  80,   //
                         90, 91, 200, 100,  //
                         92, 95, 0,   4};
  // Blocks of 2 x 2: 140/4, 220/4, 368/4, 304/4; bilinear takes the same pixels halfway.
  const Pixels expected = {35, 55, 92, 76};
  EXPECT_EQ(Resized(source, 4, 4, 2, ScreenResize::kArea), expected);
  EXPECT_EQ(Resized(source, 4, 4, 2, ScreenResize::kBilinear), expected);
}

TEST(ScreenResizerTest, FractionsByHand) {
  // Rows 3 to 2 at 1.5 each; one column taken three times.
  const Pixels source = {30, 30, 30, 60, 60, 60, 120, 120, 120};
  // Area: (30 + 60/2) / 1.5 = 40, (60/2 + 120) / 1.5 = 100.
  EXPECT_EQ(Resized(source, 3, 3, 2, ScreenResize::kArea), (Pixels{40, 40, 100, 100}));
  // Bilinear: centres at 0.25 and 1.75: 37.5 and 105.
  EXPECT_EQ(Resized(source, 3, 3, 2, ScreenResize::kBilinear), (Pixels{38, 38, 105, 105}));
}

TEST(ScreenResizerTest, SameSizeChangesNothing) {
  const Pixels source = {1, 2, 3, 4, 5, 6, 7, 8, 255};
  EXPECT_EQ(Resized(source, 3, 3, 3, ScreenResize::kArea), source);
  EXPECT_EQ(Resized(source, 3, 3, 3, ScreenResize::kBilinear), source);
}

struct Size {
  int height, width, size;
};

class ScreenResizerSizesTest : public testing::TestWithParam<Size> {};

TEST_P(ScreenResizerSizesTest, AgreesWithExactArithmetic) {
  const auto [height, width, size] = GetParam();
  RandomStream random(3);
  Pixels source(static_cast<std::size_t>(height * width));
  for (auto& pixel : source) {
    // Extremes more often than chance would have them.
    const int kind = random.Integer(0, 4);
    pixel = kind == 0 ? 0 : kind == 1 ? 255 : static_cast<std::uint8_t>(random.Integer(0, 256));
  }
  for (const ScreenResize filter : {ScreenResize::kBilinear, ScreenResize::kArea}) {
    const Pixels resized = Resized(source, height, width, size, filter);
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const double exact = Exact(source, height, width, size, filter, y, x);
        ASSERT_NEAR(resized[static_cast<std::size_t>(y * size + x)], exact, 0.53) << y << ", " << x;
      }
    }
  }
}

TEST_P(ScreenResizerSizesTest, OneColourStaysItself) {
  const auto [height, width, size] = GetParam();
  for (const int level : {0, 1, 127, 254, 255}) {
    const Pixels source(static_cast<std::size_t>(height * width), static_cast<std::uint8_t>(level));
    for (const ScreenResize filter : {ScreenResize::kBilinear, ScreenResize::kArea}) {
      for (const std::uint8_t pixel : Resized(source, height, width, size, filter)) {
        ASSERT_EQ(pixel, level);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ScreenResizerSizesTest,
                         testing::Values(Size{210, 160, 84}, Size{250, 160, 84},
                                         Size{210, 160, 160}, Size{210, 160, 14}, Size{7, 5, 1},
                                         Size{11, 13, 4}));

}  // namespace
}  // namespace gorila::atari
