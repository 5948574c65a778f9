// A 10 x 10 map of bits: bricks, aliens, bullets.
#ifndef GORILA_ENV_MINATAR_BIT_GRID_H_
#define GORILA_ENV_MINATAR_BIT_GRID_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "gorila/env/minatar/game.h"

namespace gorila::minatar {

// Trivially copyable and without padding, so a game's state can be saved byte for byte.
struct BitGrid {
  static constexpr std::uint16_t kFullRow = (1U << kGridSize) - 1;

  std::array<std::uint16_t, kGridSize> rows{};  // bit x = column x

  std::uint16_t& row(int y) { return rows[static_cast<std::size_t>(y)]; }
  std::uint16_t row(int y) const { return rows[static_cast<std::size_t>(y)]; }
  bool Has(int y, int x) const { return (row(y) >> x & 1U) != 0; }
  void Set(int y, int x) { row(y) = static_cast<std::uint16_t>(row(y) | 1U << x); }
  void Clear(int y, int x) { row(y) = static_cast<std::uint16_t>(row(y) & ~(1U << x)); }
  // Sets columns first..last of rows top..bottom, all included.
  void Fill(int top, int bottom, int first, int last) {
    const unsigned bits = (2U << last) - (1U << first);
    for (int y = top; y <= bottom; ++y) row(y) = static_cast<std::uint16_t>(row(y) | bits);
  }
  int Count() const {
    int count = 0;
    for (const std::uint16_t bits : rows) count += std::popcount(bits);
    return count;
  }
  // All columns that have a bit in some row.
  std::uint16_t Columns() const {
    unsigned columns = 0;
    for (const std::uint16_t bits : rows) columns |= bits;
    return static_cast<std::uint16_t>(columns);
  }
  // Whether only columns 0..9 are set, which altered bytes may break.
  bool Valid() const { return Columns() <= kFullRow; }

  void WriteTo(Planes& planes, int channel) const {
    for (int y = 0; y < kGridSize; ++y) {
      for (unsigned bits = row(y); bits != 0; bits &= bits - 1) {
        planes.Set(channel, y, std::countr_zero(bits));
      }
    }
  }
};

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_BIT_GRID_H_
