#include "gorila/network/gemm/dense_gradient.h"

#include <algorithm>

#include "gorila/network/gemm/sgemm.h"

namespace gorila {
namespace {

// A product with a weight matrix of megabytes is bound by memory, and SGEMM's own blocking does not
// suit it. In pieces of this many bytes, the weight gradient of nature_dqn takes half the time.
constexpr std::size_t kPieceFloats = 128 * 1024;
constexpr std::size_t kVector = 16;  // pieces are multiples of it

// dweights (outputs x inputs) = transposed dout (batch x outputs) * in (batch x inputs). Each piece
// is looked at while it is in the core's own cache.
void WeightGradient(const DenseShape& shape, std::size_t batch, const float* dout, const float* in,
                    float* dweights, FiniteCheck* check) {
  const std::size_t inputs = shape.inputs;
  const std::size_t outputs = shape.outputs;
  const std::size_t limit = std::max(kPieceFloats / inputs / kVector, std::size_t{1}) * kVector;
  const auto multiply = [&](std::size_t first, std::size_t count) {
    Sgemm(Transpose::kYes, Transpose::kNo, count, inputs, batch, {dout + first, outputs},
          {in, inputs}, {dweights + first * inputs, inputs});
    if (check != nullptr) check->Add({dweights + first * inputs, count * inputs});
  };
  ForEachPiece(outputs, limit, multiply);
}

void SumRows(const float* values, std::size_t batch, std::size_t outputs, float* sums) {
  std::fill_n(sums, outputs, 0.0F);
  for (std::size_t n = 0; n < batch; ++n) {
    const float* row = values + n * outputs;
    for (std::size_t o = 0; o < outputs; ++o) sums[o] += row[o];
  }
}

}  // namespace

void DenseGradient(const DenseShape& shape, std::size_t batch, const float* dout, const float* in,
                   float* dweights, float* dbiases, FiniteCheck* check) {
  WeightGradient(shape, batch, dout, in, dweights, check);
  SumRows(dout, batch, shape.outputs, dbiases);
  if (check != nullptr) check->Add({dbiases, shape.outputs});
}

}  // namespace gorila
