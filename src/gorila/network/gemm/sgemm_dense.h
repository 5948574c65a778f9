// Fully connected layers on SGEMM. They read weights and write gradients in place in the flat
// vectors: no layout of their own, so new parameters cost nothing.
#ifndef GORILA_NETWORK_GEMM_SGEMM_DENSE_H_
#define GORILA_NETWORK_GEMM_SGEMM_DENSE_H_

#include <memory>

#include "gorila/network/dense_stack.h"
#include "gorila/network/network_shape.h"

namespace gorila {

std::unique_ptr<DenseStack> MakeSgemmDense(const NetworkShape& shape, std::size_t max_batch);

}  // namespace gorila

#endif  // GORILA_NETWORK_GEMM_SGEMM_DENSE_H_
