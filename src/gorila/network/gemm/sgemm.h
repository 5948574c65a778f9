// Row-major single-precision matrix product.
#ifndef GORILA_NETWORK_GEMM_SGEMM_H_
#define GORILA_NETWORK_GEMM_SGEMM_H_

#include <cstddef>

#include "gorila/base/status.h"

namespace gorila {

enum class Transpose : char { kNo = 'N', kYes = 'T' };

// A matrix in memory: row i starts at data + i * stride.
struct ConstMatrix {
  const float* data;
  std::size_t stride;
};
struct Matrix {
  float* data;
  std::size_t stride;
};

// c = op(a) op(b); op(a) is m x k, op(b) is k x n, c is m x n; op transposes the stored matrix,
// or not. `c` must not overlap the others. Computed by oneDNN with the calling thread's OpenMP
// setting (SingleThreadScope).
void Sgemm(Transpose transpose_a, Transpose transpose_b, std::size_t m, std::size_t n,
           std::size_t k, ConstMatrix a, ConstMatrix b, Matrix c);

// Makes the code for them, which oneDNN otherwise makes at the first product of each kind, and then
// crashes where it gets no memory. ResourceExhausted where the address space is limited and too
// little is left. Thread-safe; costs something once.
Status PrepareSgemm();

}  // namespace gorila

#endif  // GORILA_NETWORK_GEMM_SGEMM_H_
