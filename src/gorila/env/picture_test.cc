#include "gorila/env/picture.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

Rgb Pixel(const RgbImage& image, int y, int x) {
  const std::size_t at = 3 * static_cast<std::size_t>(y * image.width + x);
  return {image.pixels.at(at), image.pixels.at(at + 1), image.pixels.at(at + 2)};
}

int Count(const RgbImage& image, Rgb colour) {
  int count = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) count += Pixel(image, y, x) == colour ? 1 : 0;
  }
  return count;
}

TEST(PictureTest, RectangleFillsItsPixelsOnly) {
  RgbImage image;
  ClearImage(image, 8, 6, colour::kDim);
  FillRectangle(image, 2, 1, 5, 3, colour::kOrange);
  EXPECT_EQ(Count(image, colour::kOrange), 6);
  EXPECT_EQ(Pixel(image, 1, 2), colour::kOrange);
  EXPECT_EQ(Pixel(image, 2, 4), colour::kOrange);
  EXPECT_EQ(Pixel(image, 3, 4), colour::kDim);
  EXPECT_EQ(Pixel(image, 2, 5), colour::kDim);
}

TEST(PictureTest, RectangleIsClippedToTheImage) {
  RgbImage image;
  ClearImage(image, 4, 4, colour::kDim);
  FillRectangle(image, -100, -100, 2, 1, colour::kOrange);
  FillRectangle(image, 3, 3, 1000, 1000, colour::kBlue);
  EXPECT_EQ(Count(image, colour::kOrange), 2);
  EXPECT_EQ(Count(image, colour::kBlue), 1);
}

TEST(PictureTest, LineCoversItsThickness) {
  RgbImage image;
  ClearImage(image, 20, 10, colour::kDim);
  DrawLine(image, 5, 5, 14, 5, 3, colour::kWhite);
  for (int x = 5; x <= 14; ++x) {
    EXPECT_EQ(Pixel(image, 4, x), colour::kWhite);
    EXPECT_EQ(Pixel(image, 6, x), colour::kWhite);
    EXPECT_EQ(Pixel(image, 2, x), colour::kDim);
    EXPECT_EQ(Pixel(image, 8, x), colour::kDim);
  }
  EXPECT_EQ(Pixel(image, 5, 2), colour::kDim);
  EXPECT_EQ(Pixel(image, 5, 17), colour::kDim);
}

TEST(PictureTest, LineOutsideTheImageLeavesItAlone) {
  RgbImage image;
  ClearImage(image, 20, 10, colour::kDim);
  DrawLine(image, 1e9, 5, 2e9, 5, 3, colour::kWhite);
  DrawLine(image, -1e12, -1e12, -9e11, -1e12, 3, colour::kWhite);
  EXPECT_EQ(Count(image, colour::kDim), 200);
  DrawLine(image, -1e9, 5, 1e9, 5, 1, colour::kWhite);
  EXPECT_EQ(Count(image, colour::kWhite), 20);
}

}  // namespace
}  // namespace gorila
