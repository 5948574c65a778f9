#include "gorila/network/gemm/sgemm.h"

#include <dnnl.h>

#include <vector>

#include "gorila/base/address_space.h"
#include "gorila/base/mutex.h"
#include "gorila/network/single_thread.h"

namespace gorila {

namespace {

constexpr std::int64_t kCodeBytes = std::int64_t{32} << 20;

dnnl_dim_t Dim(std::size_t size) { return static_cast<dnnl_dim_t>(size); }

// Of every kind: both may be transposed, and a matrix of one row or column has code of its own.
void MultiplyAll() {
  constexpr std::size_t kSide = 64;
  const std::vector<float> ones(kSide * kSide, 1.0F);
  std::vector<float> product(kSide * kSide);
  for (const Transpose a : {Transpose::kNo, Transpose::kYes}) {
    for (const Transpose b : {Transpose::kNo, Transpose::kYes}) {
      for (const std::size_t rows : {std::size_t{1}, kSide}) {
        for (const std::size_t columns : {std::size_t{1}, kSide}) {
          Sgemm(a, b, rows, columns, kSide, {ones.data(), kSide}, {ones.data(), kSide},
                {product.data(), kSide});
        }
      }
    }
  }
}

}  // namespace

void Sgemm(Transpose transpose_a, Transpose transpose_b, std::size_t m, std::size_t n,
           std::size_t k, ConstMatrix a, ConstMatrix b, Matrix c) {
  const dnnl_status_t status = dnnl_sgemm(
      static_cast<char>(transpose_a), static_cast<char>(transpose_b), Dim(m), Dim(n), Dim(k), 1.0F,
      a.data, Dim(a.stride), b.data, Dim(b.stride), 0.0F, c.data, Dim(c.stride));
  GORILA_CHECK(status == dnnl_success, "dnnl_sgemm({}, {}, {}) gave {}", m, n, k,
               static_cast<int>(status));
}

Status PrepareSgemm() {
  static Mutex mutex;
  static bool prepared = false;
  const MutexLock lock(mutex);
  if (prepared) return OkStatus();
  GORILA_RETURN_IF_ERROR(
      CheckAddressSpace(LookAtAddressSpace(), kCodeBytes, "the code for matrix products"));
  const SingleThreadScope single_thread;
  MultiplyAll();
  prepared = true;
  return OkStatus();
}

}  // namespace gorila
