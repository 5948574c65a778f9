#include "gorila/base/bfloat16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gorila {
namespace {

TEST(Bfloat16Test, HoldsWhatEightBitsHold) {
  for (int value = -256; value <= 256; ++value) {
    const auto real = static_cast<float>(value);
    EXPECT_EQ(Widen(RoundToBfloat16(real)), real);
    EXPECT_EQ(Widen(RoundToBfloat16(real / 1024)), real / 1024);
  }
}

TEST(Bfloat16Test, RoundsToNearestAndTiesToEven) {
  EXPECT_EQ(Widen(RoundToBfloat16(257)), 256);
  EXPECT_EQ(Widen(RoundToBfloat16(259)), 260);
  EXPECT_EQ(Widen(RoundToBfloat16(257.1F)), 258);
  EXPECT_EQ(Widen(RoundToBfloat16(-258.9F)), -258);
}

TEST(Bfloat16Test, InfinitiesAndNaNStay) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Widen(RoundToBfloat16(kInfinity)), kInfinity);
  EXPECT_EQ(Widen(RoundToBfloat16(-kInfinity)), -kInfinity);
  EXPECT_EQ(Widen(RoundToBfloat16(std::numeric_limits<float>::max())), kInfinity);
  EXPECT_TRUE(std::isnan(Widen(RoundToBfloat16(std::numeric_limits<float>::quiet_NaN()))));
  // All its bits in the lower half.
  EXPECT_TRUE(std::isnan(Widen(RoundToBfloat16(std::bit_cast<float>(0x7f800001U)))));
}

}  // namespace
}  // namespace gorila
