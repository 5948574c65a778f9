#include "gorila/metrics/animated_gif.h"

#include <gif_lib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "gorila/base/file.h"
#include "gorila/base/random.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Film {
  std::vector<RgbImage> frames;
  std::vector<int> delays;  // hundredths of a second
  bool shared_palette = false;
  bool for_ever = false;
};

// Decodes with giflib; every frame must fill the screen.
Film Decode(const fs::path& path) {
  Film film;
  int error = 0;
  GifFileType* const file = DGifOpenFileName(path.c_str(), &error);
  if (file == nullptr || DGifSlurp(file) != GIF_OK) {
    ADD_FAILURE() << "giflib cannot read " << path;
    return film;
  }
  film.shared_palette = file->SColorMap != nullptr;
  for (int i = 0; i < file->ImageCount; ++i) {
    const SavedImage& image = file->SavedImages[i];
    EXPECT_EQ(image.ImageDesc.Width, file->SWidth);
    EXPECT_EQ(image.ImageDesc.Height, file->SHeight);
    const ColorMapObject* const own = image.ImageDesc.ColorMap;
    const ColorMapObject* const map = own != nullptr ? own : file->SColorMap;
    RgbImage frame{file->SWidth, file->SHeight, {}};
    for (int p = 0; p < file->SWidth * file->SHeight; ++p) {
      const GifColorType colour = map->Colors[image.RasterBits[p]];
      frame.pixels.insert(frame.pixels.end(), {colour.Red, colour.Green, colour.Blue});
    }
    film.frames.push_back(frame);
    GraphicsControlBlock control;
    EXPECT_EQ(DGifSavedExtensionToGCB(file, i, &control), GIF_OK);
    EXPECT_EQ(control.TransparentColor, NO_TRANSPARENT_COLOR);
    film.delays.push_back(control.DelayTime);
    for (int e = 0; e < image.ExtensionBlockCount; ++e) {
      const ExtensionBlock& block = image.ExtensionBlocks[e];
      const std::string_view bytes(reinterpret_cast<const char*>(block.Bytes),
                                   static_cast<std::size_t>(block.ByteCount));
      film.for_ever |= block.Function == APPLICATION_EXT_FUNC_CODE && bytes == "NETSCAPE2.0";
    }
  }
  DGifCloseFile(file, &error);
  return film;
}

class AnimatedGifTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(testing::TempDir()) /
            (std::string("animated_") +
             testing::UnitTest::GetInstance()->current_test_info()->name() + ".gif");
    fs::remove(path_);
  }
  void TearDown() override { fs::remove(path_); }
  fs::path path_;
};

// Random pixels of `colours` different colours that begin with `first`.
RgbImage Noise(int width, int height, std::uint64_t colours, std::uint64_t first) {
  RgbImage image{width, height, {}};
  RandomStream random(first);
  for (int i = 0; i < width * height; ++i) {
    const std::uint64_t colour = first + random.Below(colours);
    image.pixels.push_back(static_cast<std::uint8_t>(colour * 37));
    image.pixels.push_back(static_cast<std::uint8_t>(colour >> 3));
    image.pixels.push_back(static_cast<std::uint8_t>(255 - colour % 256));
  }
  return image;
}

TEST_F(AnimatedGifTest, FewColoursReadBackExactlyThroughOnePalette) {
  const std::vector<RgbImage> frames = {Noise(30, 20, 7, 0), Noise(30, 20, 100, 50),
                                        Noise(30, 20, 256, 0)};
  ASSERT_TRUE(WriteAnimatedGif(path_, frames, 100).ok());
  const Film film = Decode(path_);
  EXPECT_TRUE(film.shared_palette);
  EXPECT_TRUE(film.for_ever);
  ASSERT_EQ(film.frames.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(film.frames[i].pixels, frames[i].pixels) << i;
    EXPECT_EQ(film.delays[i], 10);
  }
}

TEST_F(AnimatedGifTest, OneColourOnePixelOneFrame) {
  const RgbImage image{1, 1, {1, 2, 3}};
  ASSERT_TRUE(WriteAnimatedGif(path_, {&image, 1}, 20).ok());
  const Film film = Decode(path_);
  ASSERT_EQ(film.frames.size(), 1u);
  EXPECT_EQ(film.frames[0].pixels, image.pixels);
  EXPECT_EQ(film.delays[0], 2);
}

TEST_F(AnimatedGifTest, EachFrameGetsItsPaletteWhenTogetherTheyHaveTooManyColours) {
  const std::vector<RgbImage> frames = {Noise(40, 40, 200, 0), Noise(40, 40, 200, 1000)};
  ASSERT_TRUE(WriteAnimatedGif(path_, frames, 33).ok());
  const Film film = Decode(path_);
  EXPECT_FALSE(film.shared_palette);
  ASSERT_EQ(film.frames.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(film.frames[i].pixels, frames[i].pixels) << i;
  EXPECT_EQ(film.delays[0], 3);
}

TEST_F(AnimatedGifTest, AFrameWithTooManyColoursIsQuantisedToNearOnes) {
  RgbImage image{64, 64, {}};  // a smooth picture of 4096 colours
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      for (const int value : {4 * x, 4 * y, 2 * (x + y)}) {
        image.pixels.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  ASSERT_TRUE(WriteAnimatedGif(path_, {&image, 1}, 50).ok());
  const Film film = Decode(path_);
  ASSERT_EQ(film.frames.size(), 1u);
  double sum = 0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    sum += std::abs(image.pixels[i] - film.frames[0].pixels[i]);
  }
  EXPECT_LT(sum / static_cast<double>(image.pixels.size()), 8);
}

TEST_F(AnimatedGifTest, ReplacesAnOlderFileAndLeavesNothingAside) {
  const RgbImage image{1, 1, {1, 2, 3}};
  ASSERT_TRUE(WriteFileSynced(path_, "old").ok());
  ASSERT_TRUE(WriteAnimatedGif(path_, {&image, 1}, 100).ok());
  EXPECT_EQ(Decode(path_).frames.size(), 1u);
  EXPECT_FALSE(fs::exists(path_.string() + ".tmp"));
}

TEST_F(AnimatedGifTest, SaysWhatIsWrongWithTheFrames) {
  const std::vector<RgbImage> sizes = {Noise(2, 2, 4, 0), Noise(2, 3, 4, 0)};
  const Status mixed = WriteAnimatedGif(path_, sizes, 100);
  EXPECT_EQ(mixed.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(mixed.ToString(), HasSubstr("frame 1 is 2 x 3 pixels; expected 2 x 2"));
  std::vector<RgbImage> truncated = {Noise(2, 2, 4, 0), Noise(2, 2, 4, 0)};
  truncated[1].pixels.pop_back();
  EXPECT_THAT(WriteAnimatedGif(path_, truncated, 100).ToString(), HasSubstr("frame 1: "));
  EXPECT_EQ(WriteAnimatedGif(path_, {}, 100).code(), absl::StatusCode::kInvalidArgument);
  const RgbImage wide{65536, 1, std::vector<std::uint8_t>(3 * 65536)};
  EXPECT_THAT(WriteAnimatedGif(path_, {&wide, 1}, 100).ToString(), HasSubstr("at most 65535"));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(AnimatedGifTest, RefusesDelaysThatAGifCannotKeep) {
  const RgbImage image{1, 1, {1, 2, 3}};
  for (const int delay : {-10, 0, 19, 655351}) {
    EXPECT_EQ(WriteAnimatedGif(path_, {&image, 1}, delay).code(),
              absl::StatusCode::kInvalidArgument)
        << delay;
  }
}

TEST_F(AnimatedGifTest, NamesAPathThatCannotBeWritten) {
  const RgbImage image{1, 1, {1, 2, 3}};
  const Status status = WriteAnimatedGif("/nonexistent-folder/film.gif", {&image, 1}, 100);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.ToString(), HasSubstr("/nonexistent-folder/film.gif"));
}

}  // namespace
}  // namespace gorila
