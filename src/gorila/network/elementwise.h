// Short loops over contiguous floats, written so that compilers vectorise them.
#ifndef GORILA_NETWORK_ELEMENTWISE_H_
#define GORILA_NETWORK_ELEMENTWISE_H_

#include <algorithm>
#include <array>
#include <cstddef>

namespace gorila {

// out = max(in + bias, 0). `out` may be `in`.
inline void AddAndRelu(const float* in, float bias, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = std::max(in[i] + bias, 0.0F);
}

// Zeroes the derivatives where ReLU gave 0: `dout` = derivative wrt. `out` on entry, wrt. ReLU's
// input on return.
inline void MaskByRelu(const float* out, std::size_t size, float* dout) {
  for (std::size_t i = 0; i < size; ++i) dout[i] = out[i] > 0 ? dout[i] : 0.0F;
}

// Several partial sums, because the order of one would forbid vectorising (and round worse).
inline float Sum(const float* values, std::size_t size) {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> sums{};
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += values[i + lane];
  }
  float total = 0;
  for (std::size_t i = whole; i < size; ++i) total += values[i];
  for (const float sum : sums) total += sum;
  return total;
}

// out[column][row] = in[row][column].
inline void TransposeMatrix(const float* in, std::size_t rows, std::size_t columns, float* out) {
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      out[column * rows + row] = in[row * columns + column];
    }
  }
}

}  // namespace gorila

#endif  // GORILA_NETWORK_ELEMENTWISE_H_
