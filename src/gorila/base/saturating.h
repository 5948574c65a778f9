// Arithmetic that stops at the largest number.
#ifndef GORILA_BASE_SATURATING_H_
#define GORILA_BASE_SATURATING_H_

#include <cstdint>
#include <limits>

namespace gorila {

// Of numbers of bytes, none negative; the largest number where that is exceeded.
inline std::int64_t SaturatingProduct(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::numeric_limits<std::int64_t>::max();
  return product;
}

inline std::int64_t SaturatingSum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::numeric_limits<std::int64_t>::max();
  return sum;
}

}  // namespace gorila

#endif  // GORILA_BASE_SATURATING_H_
