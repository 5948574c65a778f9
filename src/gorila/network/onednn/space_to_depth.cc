#include "gorila/network/onednn/space_to_depth.h"

#include <cstdint>
#include <cstring>

namespace gorila {
namespace {

// Calls visit(index in the weights, index in the folded weights).
template <typename Visit>
void ForEachWeight(const ConvolutionShape& s, const Visit& visit) {
  const std::size_t tile = TileOf(s);
  const std::size_t kernel = s.kernel / tile;  // of the folded convolution
  std::size_t weight = 0;
  for (std::size_t plane = 0; plane < s.filters * s.channels; ++plane) {
    for (std::size_t y = 0; y < s.kernel; ++y) {
      for (std::size_t x = 0; x < s.kernel; ++x) {
        const std::size_t channel = (plane * tile + y % tile) * tile + x % tile;
        visit(weight++, (channel * kernel + y / tile) * kernel + x / tile);
      }
    }
  }
}

struct ByteElements {
  const std::byte* data;
  float operator[](std::size_t i) const {
    return static_cast<float>(std::to_integer<int>(data[i]));
  }
};

// Not a float*: observations need not lie on a float's boundary.
struct FloatElements {
  const std::byte* data;
  float operator[](std::size_t i) const {
    float value = 0;
    std::memcpy(&value, data + i * sizeof value, sizeof value);
    return value;
  }
};

// One channel of one picture: `tile` x `tile` elements to every pixel, the pixels `block` apart. A
// constant tile lets the compiler unroll.
template <std::size_t kTile, typename Elements>
void FoldPlane(const Elements& from, std::size_t first, std::size_t row_size, std::size_t any_tile,
               const ConvolutionShape& folded, std::size_t block, float scale, float* to) {
  const std::size_t tile = kTile > 0 ? kTile : any_tile;
  for (std::size_t y = 0; y < folded.height; ++y) {
    for (std::size_t x = 0; x < folded.width; ++x, to += block) {
      for (std::size_t dy = 0; dy < tile; ++dy) {
        const std::size_t element = first + (y * tile + dy) * row_size + x * tile;
        for (std::size_t dx = 0; dx < tile; ++dx) to[dy * tile + dx] = scale * from[element + dx];
      }
    }
  }
}

template <typename Elements>
void Fold(const Elements& from, const ConvolutionShape& shape, std::size_t block, float scale,
          std::size_t batch, float* to) {
  const ConvolutionShape folded = FoldShape(shape);
  const std::size_t tile = TileOf(shape);
  const std::size_t pixels = folded.height * folded.width;
  const auto fold_plane = tile == 4 ? FoldPlane<4, Elements> : FoldPlane<0, Elements>;
  for (std::size_t plane = 0; plane < batch * shape.channels; ++plane) {
    const std::size_t picture = plane / shape.channels;
    const std::size_t channel = plane % shape.channels * tile * tile;  // its first after folding
    fold_plane(from, plane * shape.height * shape.width, shape.width, tile, folded, block, scale,
               to + picture * folded.inputs() + channel / block * block * pixels + channel % block);
  }
}

}  // namespace

std::size_t TileOf(const ConvolutionShape& shape) {
  return shape.kernel % shape.stride == 0 ? shape.stride : 1;
}

ConvolutionShape FoldShape(const ConvolutionShape& shape) {
  const std::size_t tile = TileOf(shape);
  if (tile == 1) return shape;
  ConvolutionShape folded = shape;
  folded.channels = shape.channels * tile * tile;
  folded.kernel = shape.kernel / tile;
  folded.stride = 1;
  folded.height = shape.out_height - 1 + folded.kernel;
  folded.width = shape.out_width - 1 + folded.kernel;
  return folded;
}

void FoldWeights(const ConvolutionShape& shape, const float* weights, float* folded) {
  ForEachWeight(shape, [=](std::size_t i, std::size_t j) { folded[j] = weights[i]; });
}

void UnfoldWeights(const ConvolutionShape& shape, const float* folded, float* weights) {
  ForEachWeight(shape, [=](std::size_t i, std::size_t j) { weights[i] = folded[j]; });
}

void FoldObservations(const ObservationSpec& spec, const ConvolutionShape& shape, std::size_t block,
                      std::span<const std::byte> observations, std::size_t batch, float* folded) {
  const std::byte* data = observations.data();
  if (spec.element == ElementType::kUint8) {
    Fold(ByteElements{data}, shape, block, spec.scale, batch, folded);
  } else {
    Fold(FloatElements{data}, shape, block, spec.scale, batch, folded);
  }
}

}  // namespace gorila
