// Backend "onednn": convolutions as oneDNN primitives in its own layouts, the rest on SGEMM.
// Backend "bfloat16": every product as a oneDNN primitive with factors in bfloat16 and sums in
// float32.
#ifndef GORILA_NETWORK_ONEDNN_ONEDNN_NETWORK_H_
#define GORILA_NETWORK_ONEDNN_ONEDNN_NETWORK_H_

#include <memory>
#include <string_view>

#include "gorila/network/convolution_stack.h"
#include "gorila/network/q_network.h"

namespace gorila {

// Unavailable when oneDNN cannot compute the spec on this machine.
StatusOr<std::unique_ptr<QNetwork>> MakeOneDnnNetwork(const NetworkSpec& spec, int max_batch);

// The convolutions of such a network, which `spec` must have. Unavailable as above.
StatusOr<std::unique_ptr<ConvolutionStack>> MakeOneDnnConvolutions(const NetworkSpec& spec,
                                                                   std::size_t max_batch);

// Activations, packed weights and derivatives are rounded to bfloat16 (8 bits of precision);
// parameters and gradients outside are float32, and so are a small network's convolutions (as
// backend "gemm" computes them). Unavailable as above.
StatusOr<std::unique_ptr<QNetwork>> MakeBfloat16Network(const NetworkSpec& spec, int max_batch);

// Unavailable when oneDNN has no bfloat16 on this processor. `device` is "cpu".
Status CheckBfloat16(std::string_view device);

// Whether this processor has AMX and this system lets oneDNN use it; without it bfloat16 is slower
// than float32.
bool MultipliesBfloat16Fast();

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_ONEDNN_NETWORK_H_
