#include "gorila/benchmark/limits.h"

#include <cstring>

#include "gorila/network/gemm/sgemm.h"
#include "gorila/network/single_thread.h"

namespace gorila {
namespace {

constexpr std::size_t kSide = 1024;

// Keeps a compiler from leaving out what was written there.
void Use(void* memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

}  // namespace

SgemmLimit::SgemmLimit() : a_(kSide * kSide, 0.5F), b_(kSide * kSide, 0.25F), c_(kSide * kSide) {}

void SgemmLimit::Call() {
  const SingleThreadScope single_thread;
  Sgemm(Transpose::kNo, Transpose::kNo, kSide, kSide, kSide, {a_.data(), kSide}, {b_.data(), kSide},
        {c_.data(), kSide});
}

double SgemmLimit::flops() {
  return 2.0 * static_cast<double>(kSide) * static_cast<double>(kSide) * static_cast<double>(kSide);
}

CopyLimit::CopyLimit(std::size_t bytes)
    : from_(bytes / sizeof(float), 1.0F), to_(bytes / sizeof(float)) {}

void CopyLimit::Call() {
  std::memcpy(to_.data(), from_.data(), from_.size() * sizeof(float));
  Use(to_.data());
}

double CopyLimit::bytes_moved() const {
  return 2.0 * static_cast<double>(from_.size() * sizeof(float));
}

}  // namespace gorila
