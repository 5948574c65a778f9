// How long a gradient is, and whether it can be applied at all.
#ifndef GORILA_NETWORK_GRADIENT_SIZE_H_
#define GORILA_NETWORK_GRADIENT_SIZE_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace gorila {

// Of a vector, or of several parts of one, added up.
struct GradientSize {
  double squares = 0;  // their sum
  bool finite = true;  // no NaN, no infinity, and no number beyond +-2^64

  GradientSize& operator+=(const GradientSize& other) {
    squares += other.squares;
    finite = finite && other.finite;
    return *this;
  }
};

// Eight sums side by side, which vectorise where a single one in order may not.
inline double SumOfSquares(std::span<const float> values) {
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= values.size(); i += sums.size()) {
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += values[i + j] * values[i + j];
  }
  double sum = 0;
  for (const float part : sums) sum += part;
  for (; i < values.size(); ++i) sum += values[i] * values[i];
  return sum;
}

}  // namespace gorila

#endif  // GORILA_NETWORK_GRADIENT_SIZE_H_
