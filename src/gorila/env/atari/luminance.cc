#include "gorila/env/atari/luminance.h"

#include <algorithm>

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
  const std::uint8_t* const table = table_.data();
  const std::uint8_t* const a = first.data();
  const std::uint8_t* const b = second.data();
  std::uint8_t* const out = grey.data();
  // Masked, so that no screen can read outside the table.
  for (std::size_t i = 0; i < grey.size(); ++i) {
    out[i] = table[(a[i] & (kColours - 1)) * kColours + (b[i] & (kColours - 1))];
  }
}

}  // namespace gorila::atari
