// Fully connected layers as oneDNN primitives whose factors are in bfloat16.
#ifndef GORILA_NETWORK_ONEDNN_BFLOAT16_DENSE_H_
#define GORILA_NETWORK_ONEDNN_BFLOAT16_DENSE_H_

#include <memory>

#include "gorila/network/dense_stack.h"
#include "gorila/network/network_shape.h"

namespace gorila {

// Throws dnnl::error where oneDNN cannot compute them.
std::unique_ptr<DenseStack> MakeBfloat16Dense(const NetworkShape& shape, std::size_t max_batch);

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_BFLOAT16_DENSE_H_
