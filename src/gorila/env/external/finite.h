// Whether somebody else's floats are numbers: one NaN in replay ruins a network for good.
#ifndef GORILA_ENV_EXTERNAL_FINITE_H_
#define GORILA_ENV_EXTERNAL_FINITE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace gorila {

// The first one that is infinite or NaN; `values.size()` where all are finite. In whole numbers and
// without a branch inside a block, so that compilers vectorise it.
inline std::size_t FirstNotFinite(std::span<const float> values) {
  constexpr std::size_t kFew = 8;
  constexpr std::size_t kBlock = 1024;
  constexpr std::uint32_t kExponent = 0x7f800000;
  const auto not_finite = [](float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<std::uint32_t>((bits & kExponent) == kExponent);
  };
  // Vector loads of numbers that were just written one by one wait for them.
  if (values.size() <= kFew) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (not_finite(values[i]) != 0) return i;
    }
    return values.size();
  }
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::size_t left = values.size() - begin;
    const std::span<const float> block = values.subspan(begin, left < kBlock ? left : kBlock);
    std::uint32_t found = 0;
    for (const float value : block) found |= not_finite(value);
    if (found == 0) continue;
    for (std::size_t i = 0;; ++i) {
      if (not_finite(block[i]) != 0) return begin + i;
    }
  }
  return values.size();
}

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_FINITE_H_
