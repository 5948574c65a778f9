#include "gorila/network/gemm/sgemm.h"

#include <gtest/gtest.h>

#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

constexpr std::size_t kM = 5;
constexpr std::size_t kN = 7;
constexpr std::size_t kK = 6;
constexpr std::size_t kStride = 9;  // of every matrix, longer than any row

std::vector<float> RandomMatrix(std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<float> values(kStride * kStride);
  for (float& value : values) value = static_cast<float>(random.Integer(-8, 9));
  return values;
}

TEST(SgemmTest, MultipliesInEveryOrientationAndKeepsWithinTheRows) {
  const std::vector<float> a = RandomMatrix(1);
  const std::vector<float> b = RandomMatrix(2);
  for (const Transpose ta : {Transpose::kNo, Transpose::kYes}) {
    for (const Transpose tb : {Transpose::kNo, Transpose::kYes}) {
      std::vector<float> c(kStride * kStride, -1);
      Sgemm(ta, tb, kM, kN, kK, {a.data(), kStride}, {b.data(), kStride}, {c.data(), kStride});
      for (std::size_t i = 0; i < kStride; ++i) {
        for (std::size_t j = 0; j < kStride; ++j) {
          float expected = i < kM && j < kN ? 0 : -1;  // outside c: untouched
          for (std::size_t k = 0; k < kK && i < kM && j < kN; ++k) {
            expected += (ta == Transpose::kNo ? a[i * kStride + k] : a[k * kStride + i]) *
                        (tb == Transpose::kNo ? b[k * kStride + j] : b[j * kStride + k]);
          }
          ASSERT_EQ(c[i * kStride + j], expected) << i << ", " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gorila
