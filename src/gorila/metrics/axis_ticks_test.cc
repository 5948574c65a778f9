#include "gorila/metrics/axis_ticks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace gorila {
namespace {

using testing::ElementsAre;

std::vector<std::string> Labels(double low, double high, int most) {
  std::vector<std::string> labels;
  for (const AxisTick& tick : MakeAxisTicks(low, high, most)) labels.push_back(tick.label);
  return labels;
}

TEST(AxisTicksTest, WritesThousandsAndMillions) {
  EXPECT_THAT(Labels(0, 1000000, 6), ElementsAre("0", "200k", "400k", "600k", "800k", "1M"));
  EXPECT_THAT(Labels(0, 5000000, 6), ElementsAre("0", "1M", "2M", "3M", "4M", "5M"));
  EXPECT_THAT(Labels(1e6, 1.2e6, 5), ElementsAre("1M", "1.05M", "1.1M", "1.15M", "1.2M"));
  EXPECT_THAT(Labels(0, 2e9, 5), ElementsAre("0", "500M", "1G", "1.5G", "2G"));
}

TEST(AxisTicksTest, UsesOnlyTheDecimalsThatTheStepNeeds) {
  EXPECT_THAT(Labels(0, 1, 6), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(Labels(0, 0.1, 3), ElementsAre("0", "0.05", "0.10"));
  EXPECT_THAT(Labels(0, 2000, 5), ElementsAre("0", "500", "1k", "1.5k", "2k"));
}

TEST(AxisTicksTest, WritesNegativeValuesWithAMinusSign) {
  EXPECT_THAT(Labels(-21, 21, 5), ElementsAre("\u221220", "\u221210", "0", "10", "20"));
}

TEST(AxisTicksTest, LeavesOutWhatLiesOutside) {
  EXPECT_THAT(Labels(0.3, 11.9, 7), ElementsAre("2", "4", "6", "8", "10"));
}

TEST(AxisTicksTest, StepsAreRoundAndAtMostAsManyAsWanted) {
  for (double range = 1e-6; range < 1e13; range *= 1.37) {
    for (const double low : {0.0, -0.4 * range, 3.3 * range}) {
      const auto ticks = MakeAxisTicks(low, low + range, 7);
      ASSERT_GE(ticks.size(), 2u) << low << " + " << range;
      ASSERT_LE(ticks.size(), 7u) << low << " + " << range;
      const double step = ticks[1].value - ticks[0].value;
      const double mantissa = step / std::pow(10, std::floor(std::log10(step * 1.0001)));
      EXPECT_TRUE(std::abs(mantissa - 1) < 1e-6 || std::abs(mantissa - 2) < 1e-6 ||
                  std::abs(mantissa - 5) < 1e-6)
          << step;
      EXPECT_GE(ticks.front().value, low - 1e-6 * range);
      EXPECT_LE(ticks.back().value, low + range * (1 + 1e-6));
    }
  }
}

TEST(AxisTicksTest, WritesWhatIsHugeOrTinyInScientificNotation) {
  EXPECT_EQ(FormatTick(2e12, 1e12), "2e+12");
  EXPECT_EQ(FormatTick(-3e-6, 1e-6), "\u22123e-06");
}

}  // namespace
}  // namespace gorila
