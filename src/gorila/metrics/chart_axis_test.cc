#include "gorila/metrics/chart_axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace gorila {
namespace {

using testing::ElementsAre;

std::vector<std::string> Labels(const ChartAxis& axis, int most) {
  std::vector<std::string> labels;
  for (const AxisTick& tick : MakeAxisTicks(axis, most)) labels.push_back(tick.label);
  return labels;
}

std::vector<std::string> Labels(double low, double high, int most) {
  return Labels({.range = {low, high}}, most);
}

TEST(ChartAxisTest, WritesThousandsAndMillions) {
  EXPECT_THAT(Labels(0, 1000000, 6), ElementsAre("0", "200k", "400k", "600k", "800k", "1M"));
  EXPECT_THAT(Labels(0, 5000000, 6), ElementsAre("0", "1M", "2M", "3M", "4M", "5M"));
  EXPECT_THAT(Labels(1e6, 1.2e6, 5), ElementsAre("1M", "1.05M", "1.1M", "1.15M", "1.2M"));
  EXPECT_THAT(Labels(0, 2e9, 5), ElementsAre("0", "500M", "1G", "1.5G", "2G"));
}

TEST(ChartAxisTest, UsesOnlyTheDecimalsThatTheStepNeeds) {
  EXPECT_THAT(Labels(0, 1, 6), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(Labels(0, 0.1, 3), ElementsAre("0", "0.05", "0.10"));
  EXPECT_THAT(Labels(0, 2000, 5), ElementsAre("0", "500", "1k", "1.5k", "2k"));
}

TEST(ChartAxisTest, WritesNegativeValuesWithAMinusSign) {
  EXPECT_THAT(Labels(-21, 21, 5), ElementsAre("\u221220", "\u221210", "0", "10", "20"));
}

TEST(ChartAxisTest, LeavesOutWhatLiesOutside) {
  EXPECT_THAT(Labels(0.3, 11.9, 7), ElementsAre("2", "4", "6", "8", "10"));
}

TEST(ChartAxisTest, StepsAreRoundAndAtMostAsManyAsWanted) {
  for (double range = 1e-6; range < 1e13; range *= 1.37) {
    for (const double low : {0.0, -0.4 * range, 3.3 * range}) {
      const auto ticks = MakeAxisTicks({.range = {low, low + range}}, 7);
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

TEST(ChartAxisTest, WritesWhatIsHugeOrTinyInScientificNotation) {
  EXPECT_EQ(FormatTick(2e12, 1e12), "2e+12");
  EXPECT_EQ(FormatTick(-3e-6, 1e-6), "\u22123e-06");
}

TEST(ChartAxisTest, TimesHaveRoundSteps) {
  const auto labels = [](double low, double high, int most) {
    return Labels({.range = {low, high}, .unit = AxisUnit::kSeconds}, most);
  };
  EXPECT_THAT(labels(0, 90, 5), ElementsAre("0", "30s", "1m", "1m 30s"));
  EXPECT_THAT(labels(0, 5400, 5), ElementsAre("0", "30m", "1h", "1h 30m"));
  EXPECT_THAT(labels(0, 100000, 6), ElementsAre("0", "6h", "12h", "18h", "1d"));
  EXPECT_THAT(labels(0, 6.5 * 86400, 4), ElementsAre("0", "2d", "4d", "6d"));
  EXPECT_THAT(labels(0, 1, 3), ElementsAre("0", "0.5s", "1.0s"));
}

TEST(ChartAxisTest, ALogarithmHasAsManyMultiplesOfPowersOfTenAsThereIsRoomFor) {
  ChartAxis axis = {.range = {1, 1000}, .scale = AxisScale::kLogarithmic};
  EXPECT_THAT(Labels(axis, 10),
              ElementsAre("1", "2", "5", "10", "20", "50", "100", "200", "500", "1k"));
  EXPECT_THAT(Labels(axis, 9), ElementsAre("1", "10", "100", "1k"));
  EXPECT_THAT(Labels(axis, 3), ElementsAre("1", "100"));
  axis.range = {12, 48};
  EXPECT_THAT(Labels(axis, 8), ElementsAre("20", "30", "40"));
}

TEST(ChartAxisTest, PositionsAreProportionalToValuesOrTheirLogarithms) {
  ChartAxis axis = {.range = {10, 1000}};
  EXPECT_DOUBLE_EQ(axis.Position(10, 200), 0);
  EXPECT_DOUBLE_EQ(axis.Position(505, 200), 100);
  axis.scale = AxisScale::kLogarithmic;
  EXPECT_DOUBLE_EQ(axis.Position(100, 200), 100);
  EXPECT_DOUBLE_EQ(axis.Position(1000, 200), 200);
}

TEST(ChartAxisTest, DataHoweverNarrowOrSmallGiveAnAxisWithTicks) {
  for (const AxisScale scale : {AxisScale::kLinear, AxisScale::kLogarithmic}) {
    const bool linear = scale == AxisScale::kLinear;
    for (const double value : {1e-320, 1e-300, 1e-5, 7.0, 1e100}) {
      for (const double low : {value, value * (1 - 1e-12), linear ? 0.0 : value / 1e40}) {
        const ChartAxis axis = {.range = FitRange(AxisRange{low, value}, kRangePadding, scale),
                                .scale = scale};
        ASSERT_LT(axis.range.low, axis.range.high) << low << " .. " << value;
        const auto ticks = MakeAxisTicks(axis, 5);
        EXPECT_GE(ticks.size(), 2u) << low << " .. " << value;
        EXPECT_LE(ticks.size(), 5u) << low << " .. " << value;
      }
    }
  }
}

}  // namespace
}  // namespace gorila
