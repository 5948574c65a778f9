// The upper half of a float32: its range with 8 bits of precision.
#ifndef GORILA_BASE_BFLOAT16_H_
#define GORILA_BASE_BFLOAT16_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace gorila {

enum class Bfloat16 : std::uint16_t {};

// To nearest, ties to even; a NaN stays one.
inline Bfloat16 RoundToBfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
  const std::uint32_t nearest = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  return static_cast<Bfloat16>(nan ? (bits >> 16) | 0x40U : nearest);
}

inline float Widen(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

// For code that is written once for both types.
inline void Convert(float from, float& to) { to = from; }
inline void Convert(float from, Bfloat16& to) { to = RoundToBfloat16(from); }
inline void Convert(Bfloat16 from, float& to) { to = Widen(from); }

void RoundToBfloat16(const float* in, std::size_t size, Bfloat16* out);
void Widen(const Bfloat16* in, std::size_t size, float* out);

}  // namespace gorila

#endif  // GORILA_BASE_BFLOAT16_H_
