#include "gorila/metrics/sparkline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gorila {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsNan;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(SparklineTest, TheLowestAndTheHighestAreTheEndsOfTheHeights) {
  EXPECT_EQ(Sparkline(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, true), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(Sparkline(std::vector<double>{-70, 0, -35}, true), "▁█▅");
}

TEST(SparklineTest, WithoutUtf8ItIsAscii) {
  EXPECT_EQ(Sparkline(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, false), "_.:-=+*#");
}

TEST(SparklineTest, WhatIsUnknownIsASpace) {
  EXPECT_EQ(Sparkline(std::vector<double>{kNone, 1, 2}, true), " ▁█");
  EXPECT_EQ(Sparkline(std::vector<double>{kNone}, true), " ");
  EXPECT_EQ(Sparkline({}, true), "");
}

TEST(SparklineTest, AFlatCurveIsALine) {
  EXPECT_EQ(Sparkline(std::vector<double>{3, 3, 3}, true), "▁▁▁");
}

TEST(ResampledTest, APartIsTheMeanOfItsPoints) {
  const std::vector<CurveSample> points = {{10, 1}, {20, 3}, {60, 8}, {100, 9}};
  EXPECT_THAT(Resampled(points, 100, 2), ElementsAre(DoubleEq(2), DoubleEq(8.5)));
}

TEST(ResampledTest, APartWithoutPointsHasTheValueBefore) {
  const std::vector<CurveSample> points = {{30, 5}, {90, 7}};
  EXPECT_THAT(Resampled(points, 100, 5),
              ElementsAre(IsNan(), DoubleEq(5), DoubleEq(5), DoubleEq(5), DoubleEq(7)));
}

TEST(ResampledTest, WithoutPointsLengthOrRoomThereIsNothing) {
  EXPECT_THAT(Resampled({}, 100, 2), ElementsAre(IsNan(), IsNan()));
  EXPECT_THAT(Resampled(std::vector<CurveSample>{{0, 1}}, 0, 1), ElementsAre(IsNan()));
  EXPECT_THAT(Resampled(std::vector<CurveSample>{{0, 1}}, 10, -3), IsEmpty());
  EXPECT_THAT(Resampled(std::vector<CurveSample>{{0, kNone}, {200, 4}}, 10, 2),
              ElementsAre(IsNan(), DoubleEq(4)));
}

}  // namespace
}  // namespace gorila
