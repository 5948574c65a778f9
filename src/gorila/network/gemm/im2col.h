// The patches that a convolution reads, laid out as a matrix, so that the convolution is a product.
#ifndef GORILA_NETWORK_GEMM_IM2COL_H_
#define GORILA_NETWORK_GEMM_IM2COL_H_

#include <cstddef>

#include "gorila/network/network_shape.h"

namespace gorila {

// The layout of a batch of pictures: element (n, c, y, x) is at
// n * per_picture + c * per_channel + y * width + x.
struct PictureStrides {
  std::size_t per_picture;
  std::size_t per_channel;
};

// Im2Col copies whole vectors: it reads up to kIm2ColSlack floats past the end of `pictures`, and
// writes as many past the end of `columns`.
inline constexpr std::size_t kIm2ColSlack = 7;

// `columns`: fan_in rows (channel, ky, kx) of batch * positions (picture, y, x) floats.
void Im2Col(const ConvolutionShape& shape, PictureStrides strides, std::size_t batch,
            const float* pictures, float* columns);

// The transpose of Im2Col as a linear map: every picture element becomes the sum of the entries of
// `columns` that Im2Col would copy it to.
void Col2Im(const ConvolutionShape& shape, PictureStrides strides, std::size_t batch,
            const float* columns, float* pictures);

}  // namespace gorila

#endif  // GORILA_NETWORK_GEMM_IM2COL_H_
