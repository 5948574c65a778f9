#include "gorila/network/onednn/space_to_depth.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "gorila/network/elementwise.h"

namespace gorila {
namespace {

// Calls visit(index in the weights, index in the folded weights).
template <typename Visit>
void ForEachFolded(const ConvolutionShape& s, const Visit& visit) {
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

// Calls visit(index in the weights, index in the paired weights).
template <typename Visit>
void ForEachPaired(const ConvolutionShape& s, const Visit& visit) {
  std::size_t weight = 0;
  for (std::size_t plane = 0; plane < s.filters * s.channels; ++plane) {
    const std::size_t filter = plane / s.channels;
    for (std::size_t y = 0; y < s.kernel; ++y) {
      for (std::size_t x = 0; x < s.kernel; ++x) {
        const std::size_t channel = x % 2 * s.channels + plane % s.channels;
        const std::size_t row = (filter * 2 * s.channels + channel) * s.kernel + y;
        visit(weight++, row * (s.kernel / 2) + x / 2);
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

// Not a float*: observations need not be aligned like floats.
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
template <std::size_t kTile, typename Elements, typename Out>
void FoldPlane(const Elements& from, std::size_t first, std::size_t row_size, std::size_t any_tile,
               const ConvolutionShape& folded, std::size_t block, float scale, Out* to) {
  const std::size_t tile = kTile > 0 ? kTile : any_tile;
  for (std::size_t y = 0; y < folded.height; ++y) {
    for (std::size_t x = 0; x < folded.width; ++x, to += block) {
      for (std::size_t dy = 0; dy < tile; ++dy) {
        const std::size_t element = first + (y * tile + dy) * row_size + x * tile;
        for (std::size_t dx = 0; dx < tile; ++dx) {
          Convert(scale * from[element + dx], to[dy * tile + dx]);
        }
      }
    }
  }
}

template <typename Elements, typename Out>
void Fold(const Elements& from, const ConvolutionShape& shape, std::size_t block, float scale,
          std::size_t batch, Out* to) {
  const ConvolutionShape folded = FoldShape(shape);
  const std::size_t tile = TileOf(shape);
  const std::size_t pixels = folded.height * folded.width;
  const auto fold_plane = tile == 4 ? FoldPlane<4, Elements, Out> : FoldPlane<0, Elements, Out>;
  for (std::size_t plane = 0; plane < batch * shape.channels; ++plane) {
    const std::size_t picture = plane / shape.channels;
    const std::size_t channel = plane % shape.channels * tile * tile;  // its first after folding
    fold_plane(from, plane * shape.height * shape.width, shape.width, tile, folded, block, scale,
               to + picture * folded.inputs() + channel / block * block * pixels + channel % block);
  }
}

template <typename Out>
void FoldAny(const ObservationSpec& spec, const ConvolutionShape& shape, std::size_t block,
             std::span<const std::byte> observations, std::size_t batch, Out* folded) {
  const std::byte* data = observations.data();
  if (spec.element == ElementType::kUint8) {
    Fold(ByteElements{data}, shape, block, spec.scale, batch, folded);
  } else {
    Fold(FloatElements{data}, shape, block, spec.scale, batch, folded);
  }
}

constexpr std::size_t kMostTileBytes = 4096;

// A row of pixels of one picture as bytes: the kTile x kTile elements of every channel.
template <std::size_t kTile>
void GatherTiles(const std::uint8_t* picture, const ConvolutionShape& shape, std::size_t y,
                 std::size_t pixels, std::uint8_t* tiles) {
  const std::size_t plane = shape.height * shape.width;
  const std::size_t pixel = shape.channels * kTile * kTile;
  for (std::size_t c = 0; c < shape.channels; ++c) {
    for (std::size_t dy = 0; dy < kTile; ++dy) {
      const std::uint8_t* from = picture + c * plane + (y * kTile + dy) * shape.width;
      std::uint8_t* to = tiles + (c * kTile + dy) * kTile;
      for (std::size_t x = 0; x < pixels; ++x) std::memcpy(to + x * pixel, from + x * kTile, kTile);
    }
  }
}

// Bytes as they are, in tiles of kTile x kTile, a pixel's channels side by side.
template <std::size_t kTile>
void FoldBytes(const ConvolutionShape& shape, const std::uint8_t* from, std::size_t batch,
               Bfloat16* to) {
  const ConvolutionShape folded = FoldShape(shape);
  std::array<std::uint8_t, kMostTileBytes> tiles;  // every byte that is read is written before
  const std::size_t most = tiles.size() / folded.channels;
  for (std::size_t picture = 0; picture < batch; ++picture, from += shape.inputs()) {
    for (std::size_t y = 0; y < folded.height; ++y) {
      for (std::size_t x = 0; x < folded.width; x += most) {
        const std::size_t pixels = std::min(most, folded.width - x);
        GatherTiles<kTile>(from + x * kTile, shape, y, pixels, tiles.data());
        WidenBytes(tiles.data(), pixels * folded.channels, to);
        to += pixels * folded.channels;
      }
    }
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

void FoldWeights(const ConvolutionShape& shape, float scale, const float* weights, float* folded) {
  ForEachFolded(shape, [=](std::size_t i, std::size_t j) { folded[j] = scale * weights[i]; });
}

void UnfoldWeights(const ConvolutionShape& shape, float scale, const float* folded,
                   float* weights) {
  ForEachFolded(shape, [=](std::size_t i, std::size_t j) { weights[i] = scale * folded[j]; });
}

void FoldObservations(const ObservationSpec& spec, const ConvolutionShape& shape, std::size_t block,
                      std::span<const std::byte> observations, std::size_t batch, float* folded) {
  FoldAny(spec, shape, block, observations, batch, folded);
}

void FoldObservations(const ObservationSpec& spec, const ConvolutionShape& shape, std::size_t block,
                      std::span<const std::byte> observations, std::size_t batch,
                      Bfloat16* folded) {
  constexpr std::size_t kTile = 4;
  const std::size_t channels = shape.channels * kTile * kTile;
  if (spec.element == ElementType::kUint8 && spec.scale == 1 && TileOf(shape) == kTile &&
      block == channels && channels <= kMostTileBytes) {
    FoldBytes<kTile>(shape, reinterpret_cast<const std::uint8_t*>(observations.data()), batch,
                     folded);
  } else {
    FoldAny(spec, shape, block, observations, batch, folded);
  }
}

bool CanPairColumns(const ConvolutionShape& shape) {
  return shape.stride == 2 && shape.kernel % 2 == 0 && shape.width % 2 == 0;
}

void PairWeights(const ConvolutionShape& shape, const float* weights, float* paired) {
  ForEachPaired(shape, [=](std::size_t i, std::size_t j) { paired[j] = weights[i]; });
}

void UnpairWeights(const ConvolutionShape& shape, const float* paired, float* weights) {
  ForEachPaired(shape, [=](std::size_t i, std::size_t j) { weights[i] = paired[j]; });
}

}  // namespace gorila
