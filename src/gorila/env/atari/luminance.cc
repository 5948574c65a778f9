#include "gorila/env/atari/luminance.h"

#include <algorithm>
#include <cstring>

namespace gorila::atari {
namespace {

// DQN takes the maximum of each colour channel, later systems that of the grey levels.
std::uint8_t MaximumOf(Rgb a, Rgb b, ScreenMaximum maximum) {
  if (maximum == ScreenMaximum::kLuminance) return std::max(Luminance(a), Luminance(b));
  return Luminance({std::max(a.red, b.red), std::max(a.green, b.green), std::max(a.blue, b.blue)});
}

}  // namespace

MaximumLuminance::MaximumLuminance(const Palette& palette, ScreenMaximum maximum)
    : table_(kColours * kColours) {
  for (std::size_t a = 0; a < kColours; ++a) {
    for (std::size_t b = 0; b < kColours; ++b) {
      table_[a * kColours + b] = MaximumOf(palette[a], palette[b], maximum);
    }
  }
}

void MaximumLuminance::Convert(std::span<const std::uint8_t> first,
                               std::span<const std::uint8_t> second,
                               std::span<std::uint8_t> grey) const {
  GORILA_CHECK(first.size() == grey.size() && second.size() == grey.size());
  // Screens are mostly areas of one colour: a piece like the one before it needs no look-up.
  Piece a{}, b{};
  Piece converted = Convert(a, b);
  std::size_t i = 0;
  for (; i + kPiece <= grey.size(); i += kPiece) {
    Piece next_a, next_b;
    std::memcpy(next_a.data(), &first[i], kPiece);
    std::memcpy(next_b.data(), &second[i], kPiece);
    if (next_a != a || next_b != b) {
      a = next_a;
      b = next_b;
      converted = Convert(a, b);
    }
    std::memcpy(&grey[i], converted.data(), kPiece);
  }
  for (; i < grey.size(); ++i) grey[i] = Convert(first[i], second[i]);
}

MaximumLuminance::Piece MaximumLuminance::Convert(const Piece& a, const Piece& b) const {
  Piece converted;
  for (std::size_t i = 0; i < kPiece; ++i) converted[i] = Convert(a[i], b[i]);
  return converted;
}

}  // namespace gorila::atari
