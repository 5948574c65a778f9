#include "gorila/metrics/binned_curve.h"

#include <gtest/gtest.h>

#include <limits>

namespace gorila {
namespace {

TEST(BinnedCurveTest, KeepsEveryValueUpToItsLimit) {
  BinnedCurve curve(8);
  EXPECT_TRUE(curve.empty());
  for (int i = 0; i < 8; ++i) curve.Add(i, 10 * i);
  const std::vector<CurvePoint> points = curve.points();
  ASSERT_EQ(points.size(), 8U);
  for (int i = 0; i < 8; ++i) {
    const CurvePoint& point = points[static_cast<std::size_t>(i)];
    EXPECT_EQ(point.x, i);
    EXPECT_EQ(point.mean, 10 * i);
    EXPECT_TRUE(std::isnan(point.low));
  }
}

TEST(BinnedCurveTest, BeyondItNeighboursBecomeTheirMeanAndTheirRange) {
  BinnedCurve curve(8);
  // 0, 100, 1, 101, 2, ...
  for (int i = 0; i < 1000; ++i) curve.Add(i, i % 2 == 0 ? i / 2 : 100 + i / 2);
  const std::vector<CurvePoint> points = curve.points();
  ASSERT_LE(points.size(), 8U);
  ASSERT_GE(points.size(), 4U);
  EXPECT_EQ(points[0].x, 127.0 / 2);  // of 128 values
  EXPECT_EQ(points[0].mean, 50 + 63.0 / 2);
  EXPECT_EQ(points[0].low, 0);
  EXPECT_EQ(points[0].high, 163);
  EXPECT_EQ(points.back().high, 599);  // of a bin that is not full
}

TEST(BinnedCurveTest, PassesOverWhatIsNotFinite) {
  BinnedCurve curve(4);
  curve.Add(0, std::numeric_limits<double>::quiet_NaN());
  curve.Add(std::numeric_limits<double>::infinity(), 1);
  EXPECT_TRUE(curve.empty());
}

}  // namespace
}  // namespace gorila
