#include "gorila/metrics/number_format.h"

#include <gtest/gtest.h>

#include <limits>

namespace gorila {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(FormatCountTest, IsExactBelowAThousandAndThreeDigitsAbove) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1.00k");
  EXPECT_EQ(FormatCount(12345), "12.3k");
  EXPECT_EQ(FormatCount(100000), "100k");
  EXPECT_EQ(FormatCount(1234567), "1.23M");
  EXPECT_EQ(FormatCount(5000000000), "5.00G");
}

TEST(FormatCountTest, RoundsUpIntoTheNextUnit) {
  EXPECT_EQ(FormatCount(9994), "9.99k");
  EXPECT_EQ(FormatCount(9996), "10.0k");
  EXPECT_EQ(FormatCount(99960), "100k");
  EXPECT_EQ(FormatCount(999499), "999k");
  EXPECT_EQ(FormatCount(999500), "1.00M");
}

TEST(FormatCountTest, NeverTakesMoreThanFiveCharacters) {
  std::uint64_t count = 1;
  for (int i = 0; i < 63; ++i, count *= 2) {
    EXPECT_LE(FormatCount(count).size(), 5u) << count;
    EXPECT_LE(FormatCount(count - 1).size(), 5u) << count - 1;
  }
  EXPECT_EQ(FormatCount(std::numeric_limits<std::uint64_t>::max()), "18.4E");
}

TEST(FormatRateTest, KeepsThreeSignificantDigits) {
  EXPECT_EQ(FormatRate(0), "0.00");
  EXPECT_EQ(FormatRate(0.516), "0.52");
  EXPECT_EQ(FormatRate(52.14), "52.1");
  EXPECT_EQ(FormatRate(551.4), "551");
  EXPECT_EQ(FormatRate(2214), "2.21k");
}

TEST(FormatRateTest, ShowsADashForWhatIsNoRate) {
  EXPECT_EQ(FormatRate(kNan), "-");
  EXPECT_EQ(FormatRate(kInfinity), "-");
  EXPECT_EQ(FormatRate(-1), "-");
}

TEST(FormatDurationTest, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(59.4), "59s");
  EXPECT_EQ(FormatDuration(59.6), "1m 00s");
  EXPECT_EQ(FormatDuration(192), "3m 12s");
  EXPECT_EQ(FormatDuration(3599.6), "1h 00m");
  EXPECT_EQ(FormatDuration(2 * 3600 + 5 * 60 + 59), "2h 05m");
  EXPECT_EQ(FormatDuration(3 * 86400 + 4 * 3600), "3d 04h");
}

TEST(FormatDurationTest, ToleratesWhatIsNoDuration) {
  EXPECT_EQ(FormatDuration(kNan), "?");
  EXPECT_EQ(FormatDuration(kInfinity), "?");
  EXPECT_EQ(FormatDuration(-3), "0s");
  EXPECT_EQ(FormatDuration(1e300), "11574074074d 01h");
}

TEST(FormatDecimalTest, ShowsADashForWhatIsNotFinite) {
  EXPECT_EQ(FormatDecimal(1.005, 1), "1.0");
  EXPECT_EQ(FormatDecimal(-12.345, 2), "-12.35");
  EXPECT_EQ(FormatDecimal(kNan, 2), "-");
  EXPECT_EQ(FormatDecimal(-kInfinity, 2), "-");
}

TEST(FormatReturnTest, HasFewerDecimalsTheLargerItIs) {
  EXPECT_EQ(FormatReturn(8.4219), "8.42");
  EXPECT_EQ(FormatReturn(-99.994), "-99.99");
  EXPECT_EQ(FormatReturn(-99.996), "-100.0");
  EXPECT_EQ(FormatReturn(999.96), "1000");
  EXPECT_EQ(FormatReturn(-12345.6), "-12346");
  EXPECT_EQ(FormatReturn(kNan), "-");
}

}  // namespace
}  // namespace gorila
