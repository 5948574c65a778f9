// The gradient of a fully connected layer's parameters.
#ifndef GORILA_NETWORK_GEMM_DENSE_GRADIENT_H_
#define GORILA_NETWORK_GEMM_DENSE_GRADIENT_H_

#include <cstddef>

#include "gorila/base/finite.h"
#include "gorila/network/network_shape.h"

namespace gorila {

// `in`: batch x inputs; `dout`: the loss's derivative with respect to what the layer gave before
// its ReLU, batch x outputs. Fills `dweights` (outputs x inputs) and `dbiases` (outputs). `check`,
// unless it is null, sees both.
void DenseGradient(const DenseShape& shape, std::size_t batch, const float* dout, const float* in,
                   float* dweights, float* dbiases, FiniteCheck* check = nullptr);

// Calls visit(first, count) for pieces of at most `limit` that cover `size`.
template <typename Visit>
void ForEachPiece(std::size_t size, std::size_t limit, const Visit& visit) {
  for (std::size_t first = 0; first < size; first += limit) {
    visit(first, size - first < limit ? size - first : limit);
  }
}

}  // namespace gorila

#endif  // GORILA_NETWORK_GEMM_DENSE_GRADIENT_H_
