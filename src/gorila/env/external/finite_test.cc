#include "gorila/env/external/finite.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace gorila {
namespace {

TEST(FirstNotFiniteTest, FindsEachAtItsPlace) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (const std::size_t at : {0U, 3U, 1023U, 1024U, 2999U}) {
      std::vector<float> values(3000, -1);
      values[at] = bad;
      values.back() = kInfinity;
      EXPECT_EQ(FirstNotFinite(values), at);
    }
  }
}

TEST(FirstNotFiniteTest, FindsOneAmongFew) {
  for (std::size_t size = 1; size < 20; ++size) {
    std::vector<float> values(size);
    EXPECT_EQ(FirstNotFinite(values), size);
    values.back() = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(FirstNotFinite(values), size - 1);
  }
}

TEST(FirstNotFiniteTest, LargestAndSmallestNumbersAreFinite) {
  using Limits = std::numeric_limits<float>;
  const std::vector<float> values = {
      0, -0.0F, Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min()};
  EXPECT_EQ(FirstNotFinite(values), values.size());
  EXPECT_EQ(FirstNotFinite({}), 0U);
}

}  // namespace
}  // namespace gorila
