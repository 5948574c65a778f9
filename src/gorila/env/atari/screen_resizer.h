// Shrinks grey screens.
#ifndef GORILA_ENV_ATARI_SCREEN_RESIZER_H_
#define GORILA_ENV_ATARI_SCREEN_RESIZER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gorila/env/atari/atari_options.h"

namespace gorila::atari {

// From `height` x `width` to `size` x `size` grey levels (uint8, row-major). Both filters are
// separable: a pass over columns, whose inner loop runs along a row and is vectorised, then one
// over rows.
//
//   kBilinear  the two nearest pixels in each direction, pixel centres at half integers (the
//              convention of OpenCV's INTER_LINEAR)
//   kArea      the mean over the area that a pixel covers (OpenCV's INTER_AREA)
//
// Results are those of exact arithmetic rounded to the nearest grey level, within one level of it
// where the exact value is near the middle of two. Not thread-safe: it has scratch memory.
class ScreenResizer {
 public:
  // height >= size, width >= size, size >= 1.
  ScreenResizer(int height, int width, int size, ScreenResize filter);

  void Resize(std::span<const std::uint8_t> source, std::span<std::uint8_t> destination);

 private:
  // The filter of one direction: output i is the sum over k < count of weight[i * count + k] *
  // input[first[i] + k]. The weights of an output sum to kOne.
  struct Taps {
    std::size_t count = 0;
    std::vector<std::size_t> first;
    std::vector<std::int16_t> weights;
  };
  static Taps MakeTaps(int from, int to, ScreenResize filter);

  void ResizeColumns(const std::uint8_t* source, std::size_t row);
  template <std::size_t kCount>
  void ResizeRow(std::size_t row, std::uint8_t* destination) const;

  const std::size_t height_;
  const std::size_t width_;
  const std::size_t size_;
  const Taps vertical_;
  const Taps horizontal_;
  std::vector<std::int32_t> sums_;       // width: a row being summed
  std::vector<std::uint16_t> shrunken_;  // width: a row of the output's height, 8 fraction bits
};

}  // namespace gorila::atari

#endif  // GORILA_ENV_ATARI_SCREEN_RESIZER_H_
