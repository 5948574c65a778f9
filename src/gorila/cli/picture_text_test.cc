#include "gorila/cli/picture_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/cli/terminal.h"
#include "gorila/env/picture.h"

namespace gorila::cli {
namespace {

using ::testing::ElementsAre;

RgbImage OneColour(int width, int height, Rgb colour) {
  RgbImage image;
  ClearImage(image, width, height, colour);
  return image;
}

int Columns(const std::string& line) {
  const std::string block = "\u2580";
  int columns = 0;
  for (auto at = line.find(block); at != line.npos; at = line.find(block, at + 1)) ++columns;
  return columns;
}

TEST(PictureTextTest, TwoRowsOfPixelsBecomeOneLine) {
  RgbImage image = OneColour(2, 2, {1, 2, 3});
  FillRectangle(image, 1, 1, 2, 2, {40, 50, 60});
  EXPECT_THAT(PictureLines(image, 10, 10, true),
              ElementsAre("\x1b[38;2;1;2;3;48;2;1;2;3m\u2580"
                          "\x1b[38;2;1;2;3;48;2;40;50;60m\u2580\x1b[0m"));
}

TEST(PictureTextTest, BelowTheLastRowIsBackground) {
  const Rgb below = colour::kBackground;
  EXPECT_THAT(PictureLines(OneColour(1, 1, {9, 8, 7}), 10, 10, true),
              ElementsAre(fmt::format("\x1b[38;2;9;8;7;48;2;{};{};{}m\u2580\x1b[0m", below.red,
                                      below.green, below.blue)));
}

TEST(PictureTextTest, BlockShowsTheMeanOfItsPixels) {
  RgbImage image = OneColour(2, 2, {0, 0, 0});
  FillRectangle(image, 0, 0, 1, 2, {100, 200, 50});
  const auto lines = PictureLines(image, 1, 1, true);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("\x1b[38;2;50;100;25;"));
}

TEST(PictureTextTest, FitsIntoColumnsAndLines) {
  for (const auto& [width, height] : {std::pair{160, 160}, {300, 200}, {84, 84}, {1, 500}}) {
    const auto lines = PictureLines(OneColour(width, height, colour::kBlue), 44, 21, true);
    EXPECT_LE(lines.size(), 21u) << width << "x" << height;
    EXPECT_LE(Columns(lines.front()), 44) << width << "x" << height;
  }
}

TEST(PictureTextTest, WithoutUtf8ABlockIsTwoSpaces) {
  RgbImage image = OneColour(2, 2, {1, 2, 3});
  FillRectangle(image, 1, 1, 2, 2, {40, 50, 60});
  EXPECT_THAT(PictureLines(image, 10, 10, false),
              ElementsAre("\x1b[48;2;1;2;3m  \x1b[48;2;1;2;3m  \x1b[0m",
                          "\x1b[48;2;1;2;3m  \x1b[48;2;40;50;60m  \x1b[0m"));
  for (const auto& [width, height] : {std::pair{160, 160}, {300, 200}, {84, 84}, {1, 500}}) {
    const auto lines = PictureLines(OneColour(width, height, colour::kBlue), 44, 21, false);
    EXPECT_LE(lines.size(), 21u);
    EXPECT_LE(DisplayColumns(lines.front()), 44);
  }
}

TEST(PictureTextTest, CellsOfAGameStaySquareAndWhole) {
  const auto lines = PictureLines(OneColour(160, 160, colour::kBlue), 44, 21, true);
  EXPECT_EQ(Columns(lines.front()), 40);
  EXPECT_EQ(lines.size(), 20u);
}

}  // namespace
}  // namespace gorila::cli
