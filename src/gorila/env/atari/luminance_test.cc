#include "gorila/env/atari/luminance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gorila/base/random.h"

namespace gorila::atari {
namespace {

// Values by hand from 0.299 R + 0.587 G + 0.114 B.
TEST(LuminanceTest, IsTheRoundedWeightedSumOfTheChannels) {
  EXPECT_EQ(Luminance({0, 0, 0}), 0);
  EXPECT_EQ(Luminance({255, 255, 255}), 255);
  EXPECT_EQ(Luminance({255, 0, 0}), 76);     // 76.245
  EXPECT_EQ(Luminance({0, 255, 0}), 150);    // 149.685
  EXPECT_EQ(Luminance({0, 0, 255}), 29);     // 29.07
  EXPECT_EQ(Luminance({200, 72, 72}), 110);  // 110.272
}

TEST(LuminanceTest, AgreesWithFloatingPointOnRandomColours) {
  RandomStream random(1);
  for (int i = 0; i < 1000; ++i) {
    const auto part = [&] { return static_cast<std::uint8_t>(random.Integer(0, 256)); };
    const Rgb colour{part(), part(), part()};
    const double exact = 0.299 * colour.red + 0.587 * colour.green + 0.114 * colour.blue;
    EXPECT_NEAR(Luminance(colour), exact, 0.5001);
  }
}

Palette RedAndGreen() {
  Palette palette{};
  palette[1] = {200, 0, 0};
  palette[2] = {0, 100, 0};
  return palette;
}

TEST(MaximumLuminanceTest, ColoursAreCombinedBeforeLuminanceAsDqnDoes) {
  const std::array<std::uint8_t, 3> first = {1, 1, 0};
  const std::array<std::uint8_t, 3> second = {2, 0, 0};
  std::array<std::uint8_t, 3> grey{};
  MaximumLuminance(RedAndGreen(), ScreenMaximum::kColour).Convert(first, second, grey);
  // (200, 100, 0): 59.8 + 58.7; (200, 0, 0): 59.8.
  EXPECT_EQ(grey, (std::array<std::uint8_t, 3>{119, 60, 0}));
  MaximumLuminance(RedAndGreen(), ScreenMaximum::kLuminance).Convert(first, second, grey);
  EXPECT_EQ(grey, (std::array<std::uint8_t, 3>{60, 60, 0}));
}

TEST(MaximumLuminanceTest, OrderOfTheScreensDoesNotMatter) {
  RandomStream random(2);
  Palette palette;
  for (Rgb& colour : palette) {
    colour = {static_cast<std::uint8_t>(random.Integer(0, 256)),
              static_cast<std::uint8_t>(random.Integer(0, 256)),
              static_cast<std::uint8_t>(random.Integer(0, 256))};
  }
  std::vector<std::uint8_t> first(500), second(500), one(500), other(500);
  for (std::size_t i = 0; i < first.size(); ++i) {
    first[i] = static_cast<std::uint8_t>(random.Integer(0, 128));
    second[i] = static_cast<std::uint8_t>(random.Integer(0, 128));
  }
  for (const ScreenMaximum maximum : {ScreenMaximum::kColour, ScreenMaximum::kLuminance}) {
    const MaximumLuminance luminance(palette, maximum);
    luminance.Convert(first, second, one);
    luminance.Convert(second, first, other);
    EXPECT_EQ(one, other);
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_GE(one[i], Luminance(palette[first[i]]));
      EXPECT_GE(one[i], Luminance(palette[second[i]]));
    }
  }
}

TEST(MaximumLuminanceTest, EachPixelIsConvertedByItself) {
  RandomStream random(3);
  Palette palette;
  for (Rgb& colour : palette) colour.red = static_cast<std::uint8_t>(random.Integer(0, 256));
  const MaximumLuminance luminance(palette, ScreenMaximum::kColour);
  for (std::size_t size = 0; size < 70; ++size) {
    // Areas of one colour and single pixels in them, in either screen.
    std::vector<std::uint8_t> first(size), second(size), grey(size);
    const auto draw = [&](std::vector<std::uint8_t>& screen) {
      std::uint8_t colour = 0;
      for (std::uint8_t& pixel : screen) {
        if (random.Uniform() < 0.1) colour = static_cast<std::uint8_t>(random.Integer(0, 128));
        pixel = random.Uniform() < 0.05 ? std::uint8_t{7} : colour;
      }
    };
    draw(first);
    draw(second);
    luminance.Convert(first, second, grey);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint8_t red = std::max(palette[first[i]].red, palette[second[i]].red);
      EXPECT_EQ(grey[i], Luminance({red, 0, 0})) << i << " of " << size;
    }
  }
}

}  // namespace
}  // namespace gorila::atari
