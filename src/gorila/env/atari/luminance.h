// From colours to grey levels.
#ifndef GORILA_ENV_ATARI_LUMINANCE_H_
#define GORILA_ENV_ATARI_LUMINANCE_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gorila/env/atari/atari_options.h"
#include "gorila/env/atari/frame_source.h"

namespace gorila::atari {

// ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B, rounded; 0..255.
inline std::uint8_t Luminance(Rgb colour) {
  return static_cast<std::uint8_t>(
      (299U * colour.red + 587U * colour.green + 114U * colour.blue + 500U) / 1000U);
}

// The grey levels of the maximum of two screens. A pair of colours has one grey level, so that the
// maximum over frames and the conversion are one look-up in a table of 16 KiB, which stays in the
// first-level cache. Immutable; thread-safe.
class MaximumLuminance {
 public:
  MaximumLuminance(const Palette& palette, ScreenMaximum maximum);

  // `first`, `second` and `grey` have the same length.
  void Convert(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second,
               std::span<std::uint8_t> grey) const;

 private:
  static constexpr std::size_t kPiece = 8;
  using Piece = std::array<std::uint8_t, kPiece>;

  // Masked, so that no screen can read outside the table.
  std::uint8_t Convert(std::uint8_t a, std::uint8_t b) const {
    return table_[(a & (kColours - 1)) * kColours + (b & (kColours - 1))];
  }
  Piece Convert(const Piece& a, const Piece& b) const;

  std::vector<std::uint8_t> table_;  // [first * kColours + second]
};

}  // namespace gorila::atari

#endif  // GORILA_ENV_ATARI_LUMINANCE_H_
