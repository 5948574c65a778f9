// Convolutions as im2col and one SGEMM a layer.
#ifndef GORILA_NETWORK_GEMM_IM2COL_CONVOLUTIONS_H_
#define GORILA_NETWORK_GEMM_IM2COL_CONVOLUTIONS_H_

#include <memory>
#include <vector>

#include "gorila/network/convolution_stack.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/network_spec.h"

namespace gorila {

// `layers` must not be empty; `input` is what its first layer reads.
std::unique_ptr<ConvolutionStack> MakeIm2ColConvolutions(
    const ObservationSpec& input, const std::vector<ConvolutionShape>& layers,
    std::size_t max_batch);

}  // namespace gorila

#endif  // GORILA_NETWORK_GEMM_IM2COL_CONVOLUTIONS_H_
