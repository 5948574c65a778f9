#include "gorila/network/gemm/sgemm.h"

#include <dnnl.h>

#include "gorila/base/status.h"

namespace gorila {

namespace {

dnnl_dim_t Dim(std::size_t size) { return static_cast<dnnl_dim_t>(size); }

}  // namespace

void Sgemm(Transpose transpose_a, Transpose transpose_b, std::size_t m, std::size_t n,
           std::size_t k, ConstMatrix a, ConstMatrix b, Matrix c) {
  const dnnl_status_t status = dnnl_sgemm(
      static_cast<char>(transpose_a), static_cast<char>(transpose_b), Dim(m), Dim(n), Dim(k), 1.0F,
      a.data, Dim(a.stride), b.data, Dim(b.stride), 0.0F, c.data, Dim(c.stride));
  GORILA_CHECK(status == dnnl_success, "dnnl_sgemm({}, {}, {}) gave {}", m, n, k,
               static_cast<int>(status));
}

}  // namespace gorila
