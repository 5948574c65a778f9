#include "gorila/cli/picture_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gorila/env/picture.h"

namespace gorila::cli {
namespace {

int RoundedUp(int dividend, int divisor) { return (dividend + divisor - 1) / divisor; }

// The side of a block in pixels, of a picture with at most so many blocks a row and a column.
int BlockSide(const RgbImage& image, int most_columns, int most_rows) {
  return std::max({1, RoundedUp(image.width, most_columns), RoundedUp(image.height, most_rows)});
}

// The mean of those pixels of the block at (column, row) that are inside the picture; background
// below it.
Rgb MeanColour(const RgbImage& image, int side, int column, int row) {
  std::array<int, 3> sums{};
  int count = 0;
  for (int y = row * side; y < std::min(image.height, (row + 1) * side); ++y) {
    for (int x = column * side; x < std::min(image.width, (column + 1) * side); ++x) {
      const auto pixel = static_cast<std::size_t>(y * image.width + x) * 3;
      for (std::size_t i = 0; i < 3; ++i) sums[i] += image.pixels[pixel + i];
      ++count;
    }
  }
  if (count == 0) return colour::kBackground;
  const auto mean = [count](int sum) {
    return static_cast<std::uint8_t>((sum + count / 2) / count);
  };
  return {mean(sums[0]), mean(sums[1]), mean(sums[2])};
}

std::vector<std::string> LinesOfSpaces(const RgbImage& image, int most_columns, int most_lines) {
  const int side = BlockSide(image, std::max(1, most_columns / 2), most_lines);
  std::vector<std::string> lines;
  for (int row = 0; row < RoundedUp(image.height, side); ++row) {
    std::string line;
    for (int column = 0; column < RoundedUp(image.width, side); ++column) {
      const Rgb block = MeanColour(image, side, column, row);
      line += fmt::format("\x1b[48;2;{};{};{}m  ", block.red, block.green, block.blue);
    }
    lines.push_back(line + "\x1b[0m");
  }
  return lines;
}

}  // namespace

std::vector<std::string> PictureLines(const RgbImage& image, int most_columns, int most_lines,
                                      bool utf8) {
  if (!utf8) return LinesOfSpaces(image, most_columns, most_lines);
  const int side = BlockSide(image, most_columns, 2 * most_lines);
  const int columns = RoundedUp(image.width, side);
  const int rows = RoundedUp(image.height, side);
  std::vector<std::string> lines;
  for (int row = 0; row < rows; row += 2) {
    std::string line;
    for (int column = 0; column < columns; ++column) {
      const Rgb upper = MeanColour(image, side, column, row);
      const Rgb lower = MeanColour(image, side, column, row + 1);
      line += fmt::format("\x1b[38;2;{};{};{};48;2;{};{};{}m\u2580", upper.red, upper.green,
                          upper.blue, lower.red, lower.green, lower.blue);
    }
    lines.push_back(line + "\x1b[0m");
  }
  return lines;
}

}  // namespace gorila::cli
