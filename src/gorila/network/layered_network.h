// A QNetwork from its two parts: convolutions and fully connected layers.
#ifndef GORILA_NETWORK_LAYERED_NETWORK_H_
#define GORILA_NETWORK_LAYERED_NETWORK_H_

#include <memory>
#include <utility>

#include "gorila/network/convolution_stack.h"
#include "gorila/network/dense_stack.h"
#include "gorila/network/q_network.h"

namespace gorila {

// `layout`: of the vector that its parts read, whose beginning, up to the fully connected layers,
// is that of MakeParameterLayout(spec). `convolutions` is null when the spec has none; `dense` has
// room for NetworkShape::rows for each observation.
std::unique_ptr<QNetwork> MakeLayeredNetwork(const NetworkSpec& spec, int max_batch,
                                             std::unique_ptr<ConvolutionStack> convolutions,
                                             std::unique_ptr<DenseStack> dense,
                                             ParameterLayout layout);
inline std::unique_ptr<QNetwork> MakeLayeredNetwork(const NetworkSpec& spec, int max_batch,
                                                    std::unique_ptr<ConvolutionStack> convolutions,
                                                    std::unique_ptr<DenseStack> dense) {
  return MakeLayeredNetwork(spec, max_batch, std::move(convolutions), std::move(dense),
                            MakeParameterLayout(spec));
}

}  // namespace gorila

#endif  // GORILA_NETWORK_LAYERED_NETWORK_H_
