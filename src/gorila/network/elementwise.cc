#include "gorila/network/elementwise.h"

#include <algorithm>
#include <array>
#include <bit>

#include "gorila/base/vectorise.h"

namespace gorila {
namespace {

// Inlined into the functions that are compiled for several generations.
template <typename In, typename Out>
[[gnu::always_inline]] inline void Transpose(const In* in, std::size_t rows, std::size_t columns,
                                             Out* out) {
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      Convert(in[row * columns + column], out[column * rows + row]);
    }
  }
}

}  // namespace

GORILA_VECTORISE
void AddAndRelu(const float* in, float bias, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = std::max(in[i] + bias, 0.0F);
}

GORILA_VECTORISE
void MaskByRelu(const float* out, std::size_t size, float* dout) {
  for (std::size_t i = 0; i < size; ++i) dout[i] = out[i] > 0 ? dout[i] : 0.0F;
}

// ReLU's output is a positive number or zero, whatever its sign.
GORILA_VECTORISE
void MaskByRelu(const Bfloat16* out, std::size_t size, Bfloat16* dout) {
  for (std::size_t i = 0; i < size; ++i) {
    const bool positive = (static_cast<std::uint16_t>(out[i]) & 0x7fffU) != 0;
    dout[i] = positive ? dout[i] : Bfloat16{0};
  }
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
void AddScaledNoise(const float* mean, const float* sigma, const float* noise, float by,
                    std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = mean[i] + sigma[i] * (by * noise[i]);
}

GORILA_VECTORISE
void MultiplyByNoise(const float* in, const float* noise, float by, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = in[i] * (by * noise[i]);
}

GORILA_VECTORISE
void TransposeMatrix(const float* in, std::size_t rows, std::size_t columns, float* out) {
  Transpose(in, rows, columns, out);
}

GORILA_VECTORISE
void TransposeMatrix(const float* in, std::size_t rows, std::size_t columns, Bfloat16* out) {
  Transpose(in, rows, columns, out);
}

GORILA_VECTORISE
void TransposeMatrix(const Bfloat16* in, std::size_t rows, std::size_t columns, float* out) {
  Transpose(in, rows, columns, out);
}

GORILA_VECTORISE
void ScaleBytes(const std::uint8_t* in, float scale, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = scale * static_cast<float>(in[i]);
}

GORILA_VECTORISE
void WidenBytes(const std::uint8_t* in, std::size_t size, Bfloat16* out) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto value = static_cast<float>(static_cast<std::int32_t>(in[i]));
    out[i] = static_cast<Bfloat16>(std::bit_cast<std::uint32_t>(value) >> 16);
  }
}

}  // namespace gorila
