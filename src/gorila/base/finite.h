// Whether numbers can be squared.
#ifndef GORILA_BASE_FINITE_H_
#define GORILA_BASE_FINITE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gorila {

// The largest of the values' bits without their signs, or 0 of none. Without the sign, floats are
// ordered as their bits.
std::uint32_t LargestMagnitudeBits(std::span<const float> values);

// Looks at a vector in parts, each while it is still in a cache.
class FiniteCheck {
 public:
  void Add(std::span<const float> values) {
    const std::uint32_t bits = LargestMagnitudeBits(values);
    if (bits > largest_) largest_ = bits;
    seen_ += values.size();
  }

  std::size_t seen() const { return seen_; }
  // Whether no value was a NaN, an infinity or beyond +-2^64, where the squares that optimizers
  // keep become infinite and turn parameters into NaN.
  bool SquaresAreFinite() const { return largest_ < std::bit_cast<std::uint32_t>(0x1p64F); }

 private:
  std::uint32_t largest_ = 0;
  std::size_t seen_ = 0;
};

inline bool SquaresAreFinite(std::span<const float> values) {
  FiniteCheck check;
  check.Add(values);
  return check.SquaresAreFinite();
}

}  // namespace gorila

#endif  // GORILA_BASE_FINITE_H_
