#include "gorila/metrics/png_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/base/file.h"
#include "gorila/base/random.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

RgbImage Noise(int width, int height) {
  RgbImage image{width, height, {}};
  RandomStream random(1);
  image.pixels.resize(static_cast<std::size_t>(3 * width * height));
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(random.Below(256));
  return image;
}

TEST(PngImageTest, ReadsBackTheSamePixels) {
  for (const auto& [width, height] : {std::pair(1, 1), std::pair(17, 5), std::pair(160, 210)}) {
    const RgbImage image = Noise(width, height);
    const RgbImage decoded = DecodePng(EncodePng(image).value()).value();
    EXPECT_EQ(decoded.width, width);
    EXPECT_EQ(decoded.height, height);
    EXPECT_EQ(decoded.pixels, image.pixels);
  }
}

TEST(PngImageTest, WritesAFileThatReadsBack) {
  const fs::path path = fs::path(testing::TempDir()) / "png_image_test.png";
  const RgbImage image = Noise(8, 9);
  ASSERT_TRUE(WritePng(path, image).ok());
  EXPECT_EQ(DecodePng(ReadFile(path).value()).value().pixels, image.pixels);
  fs::remove(path);
}

TEST(PngImageTest, RefusesAnImageWhoseSizeDoesNotMatchItsPixels) {
  EXPECT_EQ(EncodePng(RgbImage{}).status().code(), absl::StatusCode::kInvalidArgument);
  RgbImage image = Noise(4, 4);
  image.width = 5;
  const Status status = EncodePng(image).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.ToString(), HasSubstr("has 48 bytes; expected 60"));
}

TEST(PngImageTest, RefusesWhatIsNotAWholePng) {
  const std::string bytes = EncodePng(Noise(16, 16)).value();
  EXPECT_EQ(DecodePng("").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodePng("not a picture").status().code(), absl::StatusCode::kDataLoss);
  const auto half = DecodePng(std::string_view(bytes).substr(0, bytes.size() / 2));
  EXPECT_EQ(half.status().code(), absl::StatusCode::kDataLoss);
}

TEST(PngImageTest, NamesAPathThatCannotBeWritten) {
  const Status status = WritePng("/nonexistent-folder/picture.png", Noise(2, 2));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.ToString(), HasSubstr("/nonexistent-folder/picture.png"));
}

}  // namespace
}  // namespace gorila
