// Short loops over contiguous floats, compiled so that they use the machine's widest vectors.
#ifndef GORILA_NETWORK_ELEMENTWISE_H_
#define GORILA_NETWORK_ELEMENTWISE_H_

#include <cstddef>
#include <cstdint>

#include "gorila/base/bfloat16.h"

namespace gorila {

// out = max(in + bias, 0). `out` may be `in`.
void AddAndRelu(const float* in, float bias, std::size_t size, float* out);

// Zeroes the derivatives where ReLU gave 0: `dout` = derivative wrt. `out` on entry, wrt. ReLU's
// input on return.
void MaskByRelu(const float* out, std::size_t size, float* dout);
void MaskByRelu(const Bfloat16* out, std::size_t size, Bfloat16* dout);

// The order of the additions is not that of the values.
float Sum(const float* values, std::size_t size);

// out[column][row] = in[row][column].
void TransposeMatrix(const float* in, std::size_t rows, std::size_t columns, float* out);
void TransposeMatrix(const float* in, std::size_t rows, std::size_t columns, Bfloat16* out);
void TransposeMatrix(const Bfloat16* in, std::size_t rows, std::size_t columns, float* out);

// out = scale * in.
void ScaleBytes(const std::uint8_t* in, float scale, std::size_t size, float* out);

// out = mean + sigma * (by * noise).
void AddScaledNoise(const float* mean, const float* sigma, const float* noise, float by,
                    std::size_t size, float* out);

// out = in * (by * noise).
void MultiplyByNoise(const float* in, const float* noise, float by, std::size_t size, float* out);

// Exact: 8 bits hold what a byte can.
void WidenBytes(const std::uint8_t* in, std::size_t size, Bfloat16* out);

}  // namespace gorila

#endif  // GORILA_NETWORK_ELEMENTWISE_H_
