#include "gorila/network/elementwise.h"

#include <algorithm>
#include <array>

#include "gorila/base/vectorise.h"

namespace gorila {

GORILA_VECTORISE
void AddAndRelu(const float* in, float bias, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = std::max(in[i] + bias, 0.0F);
}

GORILA_VECTORISE
void MaskByRelu(const float* out, std::size_t size, float* dout) {
  for (std::size_t i = 0; i < size; ++i) dout[i] = out[i] > 0 ? dout[i] : 0.0F;
}

// Several partial sums, because the order of one would forbid vectorising (and round worse).
GORILA_VECTORISE
float Sum(const float* values, std::size_t size) {
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

GORILA_VECTORISE
void TransposeMatrix(const float* in, std::size_t rows, std::size_t columns, float* out) {
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      out[column * rows + row] = in[row * columns + column];
    }
  }
}

GORILA_VECTORISE
void ScaleBytes(const std::uint8_t* in, float scale, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = scale * static_cast<float>(in[i]);
}

}  // namespace gorila
