// A strided convolution as an unstrided one: where the stride s divides the kernel, every s x s
// tile of the picture becomes the channels of one pixel (space to depth). The arithmetic is the
// same; the first layer of nature_dqn, 8x8/4 on 4 channels, becomes 2x2/1 on 64, which vectorises.
#ifndef GORILA_NETWORK_ONEDNN_SPACE_TO_DEPTH_H_
#define GORILA_NETWORK_ONEDNN_SPACE_TO_DEPTH_H_

#include <cstddef>
#include <span>

#include "gorila/base/bfloat16.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/network_spec.h"

namespace gorila {

// The tile's side: the stride where it divides the kernel, otherwise 1 (the convolution as it is).
std::size_t TileOf(const ConvolutionShape& shape);

// The same convolution over the tiles. Rows and columns that no kernel reaches are left out.
ConvolutionShape FoldShape(const ConvolutionShape& shape);

// Weights between filters x channels x kernel x kernel of `shape` and of FoldShape(shape), times
// `scale`.
void FoldWeights(const ConvolutionShape& shape, float scale, const float* weights, float* folded);
void UnfoldWeights(const ConvolutionShape& shape, float scale, const float* folded, float* weights);

// Writes value * scale for `batch` observations, which `shape` reads, as FoldShape(shape) reads
// them: pictures x channel blocks x height x width x `block` channels. `block` is a multiple of
// TileOf(shape)^2 and divides the channels.
void FoldObservations(const ObservationSpec& spec, const ConvolutionShape& shape, std::size_t block,
                      std::span<const std::byte> observations, std::size_t batch, float* folded);
void FoldObservations(const ObservationSpec& spec, const ConvolutionShape& shape, std::size_t block,
                      std::span<const std::byte> observations, std::size_t batch, Bfloat16* folded);

// The same for two neighbouring pixels of a row, where the stride is 2 and rows and kernel are
// even: the stored pixels are read as half as many pixels of twice the channels, and not
// touched. The kernel becomes kernel x kernel / 2, the stride 2 x 1.
bool CanPairColumns(const ConvolutionShape& shape);

// Weights between filters x channels x kernel x kernel and filters x (2 x channels) x kernel x
// (kernel / 2).
void PairWeights(const ConvolutionShape& shape, const float* weights, float* paired);
void UnpairWeights(const ConvolutionShape& shape, const float* paired, float* weights);

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_SPACE_TO_DEPTH_H_
