// What the machine can do, as work to measure other work against.
#ifndef GORILA_BENCHMARK_LIMITS_H_
#define GORILA_BENCHMARK_LIMITS_H_

#include <cstddef>
#include <vector>

#include "gorila/benchmark/measurement.h"

namespace gorila {

// A square SGEMM of 1024 on the calling thread, through the library that networks use.
class SgemmLimit {
 public:
  SgemmLimit();
  void Call();
  static double flops();  // of one call

 private:
  std::vector<float> a_, b_, c_;
};

// memcpy between two buffers of `bytes` each.
class CopyLimit {
 public:
  explicit CopyLimit(std::size_t bytes);
  void Call();
  double bytes_moved() const;  // by one call: read and written

 private:
  std::vector<float> from_, to_;
};

}  // namespace gorila

#endif  // GORILA_BENCHMARK_LIMITS_H_
