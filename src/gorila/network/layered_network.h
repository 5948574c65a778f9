// A QNetwork from its two parts: convolutions and fully connected layers.
#ifndef GORILA_NETWORK_LAYERED_NETWORK_H_
#define GORILA_NETWORK_LAYERED_NETWORK_H_

#include <memory>

#include "gorila/network/convolution_stack.h"
#include "gorila/network/dense_stack.h"
#include "gorila/network/q_network.h"

namespace gorila {

// `convolutions` is null when the spec has none; `dense` has room for NetworkShape::rows for each
// observation.
std::unique_ptr<QNetwork> MakeLayeredNetwork(const NetworkSpec& spec, int max_batch,
                                             std::unique_ptr<ConvolutionStack> convolutions,
                                             std::unique_ptr<DenseStack> dense);

}  // namespace gorila

#endif  // GORILA_NETWORK_LAYERED_NETWORK_H_
