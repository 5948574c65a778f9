#include "gorila/network/gemm/im2col.h"

#include <algorithm>
#include <cstring>

namespace gorila {
namespace {

// Calls visit(offset in columns, offset in pictures) for every run of out_width entries, which are
// `stride` apart in the picture.
template <typename Visit>
void ForEachRun(const ConvolutionShape& s, PictureStrides strides, std::size_t batch,
                const Visit& visit) {
  std::size_t column = 0;
  for (std::size_t c = 0; c < s.channels; ++c) {
    for (std::size_t ky = 0; ky < s.kernel; ++ky) {
      for (std::size_t kx = 0; kx < s.kernel; ++kx) {
        for (std::size_t n = 0; n < batch; ++n) {
          std::size_t picture =
              n * strides.per_picture + c * strides.per_channel + ky * s.width + kx;
          for (std::size_t y = 0; y < s.out_height; ++y) {
            visit(column, picture);
            column += s.out_width;
            picture += s.stride * s.width;
          }
        }
      }
    }
  }
}

// Runs are short: copies of a fixed size, the last of which overlaps the run that is written next,
// beat a call of memcpy with the exact one.
void CopyRun(const float* from, std::size_t size, float* to) {
  constexpr std::size_t kVector = kIm2ColSlack + 1;
  for (std::size_t i = 0; i < size; i += kVector) {
    std::memcpy(to + i, from + i, kVector * sizeof(float));
  }
}

}  // namespace

void Im2Col(const ConvolutionShape& shape, PictureStrides strides, std::size_t batch,
            const float* pictures, float* columns) {
  const std::size_t width = shape.out_width;
  const std::size_t stride = shape.stride;
  if (stride == 1) {
    ForEachRun(shape, strides, batch, [=](std::size_t column, std::size_t picture) {
      CopyRun(pictures + picture, width, columns + column);
    });
  } else {
    ForEachRun(shape, strides, batch, [=](std::size_t column, std::size_t picture) {
      for (std::size_t x = 0; x < width; ++x) columns[column + x] = pictures[picture + x * stride];
    });
  }
}

void Col2Im(const ConvolutionShape& shape, PictureStrides strides, std::size_t batch,
            const float* columns, float* pictures) {
  const std::size_t plane = shape.height * shape.width;
  for (std::size_t n = 0; n < batch; ++n) {
    for (std::size_t c = 0; c < shape.channels; ++c) {
      std::fill_n(pictures + n * strides.per_picture + c * strides.per_channel, plane, 0.0F);
    }
  }
  const std::size_t width = shape.out_width;
  const std::size_t stride = shape.stride;
  ForEachRun(shape, strides, batch, [=](std::size_t column, std::size_t picture) {
    for (std::size_t x = 0; x < width; ++x) pictures[picture + x * stride] += columns[column + x];
  });
}

}  // namespace gorila
