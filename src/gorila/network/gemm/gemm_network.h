// Backend "gemm": convolutions by im2col, everything on SGEMM, and the flat vectors used as they
// lie.
#ifndef GORILA_NETWORK_GEMM_GEMM_NETWORK_H_
#define GORILA_NETWORK_GEMM_GEMM_NETWORK_H_

#include <memory>

#include "gorila/network/q_network.h"

namespace gorila {

StatusOr<std::unique_ptr<QNetwork>> MakeGemmNetwork(const NetworkSpec& spec, int max_batch);

}  // namespace gorila

#endif  // GORILA_NETWORK_GEMM_GEMM_NETWORK_H_
