#include "gorila/metrics/curve_aggregation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gorila {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(SmoothOverEpisodesTest, WeighsEpisodesNotBatches) {
  const std::vector<EpisodeBatch> batches = {{100, 1, 1}, {200, 4, 3}};
  const auto samples = SmoothOverEpisodes(batches, 100);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].x, 100);
  EXPECT_DOUBLE_EQ(samples[0].y, 1);
  EXPECT_EQ(samples[1].x, 200);
  EXPECT_DOUBLE_EQ(samples[1].y, (1 * 1 + 3 * 4) / 4.0);
}

TEST(SmoothOverEpisodesTest, TakesOnlyThePartOfABatchThatIsInTheWindow) {
  const std::vector<EpisodeBatch> batches = {{1, 100, 50}, {2, 10, 4}, {3, 2, 6}};
  const auto samples = SmoothOverEpisodes(batches, 8);
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_DOUBLE_EQ(samples[0].y, 100);
  EXPECT_DOUBLE_EQ(samples[1].y, (4 * 10 + 4 * 100) / 8.0);
  EXPECT_DOUBLE_EQ(samples[2].y, (6 * 2 + 2 * 10) / 8.0);
}

TEST(SmoothOverEpisodesTest, PassesOverBatchesWithoutEpisodes) {
  const std::vector<EpisodeBatch> batches = {{1, kNan, 0}, {2, 6, 1}, {3, kNan, 0}, {4, 2, 1}};
  const auto samples = SmoothOverEpisodes(batches, 10);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].x, 4);
  EXPECT_DOUBLE_EQ(samples[1].y, 4);
}

TEST(AggregateRunsTest, InterpolatesOverTheCommonRange) {
  const std::vector<std::vector<CurveSample>> runs = {{{0, 0}, {10, 10}},
                                                      {{2, 4}, {6, 12}, {20, 12}}};
  const auto points = AggregateRuns(runs, 3);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_DOUBLE_EQ(points[0].x, 2);
  EXPECT_DOUBLE_EQ(points[1].x, 6);
  EXPECT_DOUBLE_EQ(points[2].x, 10);
  EXPECT_DOUBLE_EQ(points[0].mean, (2 + 4) / 2.0);
  EXPECT_DOUBLE_EQ(points[1].mean, (6 + 12) / 2.0);
  EXPECT_DOUBLE_EQ(points[2].mean, (10 + 12) / 2.0);
}

TEST(AggregateRunsTest, BandIsTheBootstrapsOfTheRunsAtEachPoint) {
  std::vector<std::vector<CurveSample>> runs;
  std::vector<double> ends;
  for (const double y : {1.0, 2.0, 3.0, 4.0, 50.0}) {
    runs.push_back({{0, 0}, {1, y}});
    ends.push_back(y);
  }
  for (const Statistic statistic : {Statistic::kMean, Statistic::kInterquartileMean}) {
    const auto points = AggregateRuns(runs, 2, statistic);
    ASSERT_EQ(points.size(), 2u);
    EXPECT_EQ(points[0].low, 0);
    EXPECT_EQ(points[0].high, 0);
    const Estimate expected = EstimateScores(ends, statistic);
    EXPECT_EQ(points[1].mean, expected.value);
    EXPECT_EQ(points[1].low, expected.low);
    EXPECT_EQ(points[1].high, expected.high);
    const Estimate at = EstimateAt(runs, 1, statistic);
    EXPECT_EQ(at.value, expected.value);
    EXPECT_EQ(at.low, expected.low);
  }
}

TEST(AggregateRunsTest, TheOrderOfRunsDoesNotCount) {
  const std::vector<std::vector<CurveSample>> runs = {
      {{0, 1}, {4, 3}}, {{0, 5}, {4, 0}}, {{0, 2}, {4, 2.5}}};
  const std::vector<std::vector<CurveSample>> other = {runs[2], runs[0], runs[1]};
  const auto a = AggregateRuns(runs, 7), b = AggregateRuns(other, 7);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(a[i].mean, b[i].mean);
    EXPECT_EQ(a[i].low, b[i].low);
    EXPECT_EQ(a[i].high, b[i].high);
  }
}

TEST(EstimateAtTest, IsUnknownWhereACurveDoesNotReach) {
  const std::vector<std::vector<CurveSample>> runs = {{{0, 0}, {10, 20}}, {{4, 1}, {6, 3}}};
  EXPECT_DOUBLE_EQ(EstimateAt(runs, 5, Statistic::kMean).value, (10 + 2) / 2.0);
  for (const double x : {3.9, 6.1}) {
    EXPECT_TRUE(std::isnan(EstimateAt(runs, x, Statistic::kMean).value));
  }
  EXPECT_TRUE(std::isnan(EstimateAt({}, 5, Statistic::kMean).value));
}

TEST(AggregateRunsTest, OneRunHasNoBand) {
  const std::vector<std::vector<CurveSample>> runs = {{{0, 1}, {4, 3}}};
  const auto points = AggregateRuns(runs, 5);
  ASSERT_EQ(points.size(), 5u);
  EXPECT_DOUBLE_EQ(points[1].mean, 1.5);
  EXPECT_TRUE(std::isnan(points[1].low));
  EXPECT_TRUE(std::isnan(points[1].high));
}

TEST(AggregateRunsTest, LeavesOutSamplesThatAreNotFinite) {
  const std::vector<std::vector<CurveSample>> runs = {
      {{-5, kNan}, {0, 0}, {1, kNan}, {2, 4}, {3, kNan}}};
  const auto points = AggregateRuns(runs, 3);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].x, 0);
  EXPECT_DOUBLE_EQ(points[1].mean, 2);
  EXPECT_EQ(points[2].x, 2);
}

TEST(AggregateRunsTest, IsEmptyWithoutACommonRange) {
  using Runs = std::vector<std::vector<CurveSample>>;
  EXPECT_TRUE(AggregateRuns(Runs{}, 10).empty());
  EXPECT_TRUE(AggregateRuns(Runs{{{0, 1}}, {}}, 10).empty());
  EXPECT_TRUE(AggregateRuns(Runs{{{0, 1}, {1, 1}}, {{2, 1}, {3, 1}}}, 10).empty());
}

TEST(AggregateRunsTest, RangesThatTouchGiveOnePoint) {
  const std::vector<std::vector<CurveSample>> runs = {{{0, 1}, {1, 3}}, {{1, 5}, {2, 7}}};
  const auto points = AggregateRuns(runs, 10);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].x, 1);
  EXPECT_DOUBLE_EQ(points[0].mean, 4);
}

TEST(StudentQuantileTest, AgreesWithPublishedTables) {
  EXPECT_NEAR(StudentQuantile975(1), 12.706, 1e-3);
  EXPECT_NEAR(StudentQuantile975(4), 2.776, 1e-3);
  EXPECT_NEAR(StudentQuantile975(10), 2.228, 1e-3);
  EXPECT_NEAR(StudentQuantile975(11), 2.201, 3e-3);
  EXPECT_NEAR(StudentQuantile975(29), 2.045, 1e-3);
  EXPECT_NEAR(StudentQuantile975(120), 1.980, 1e-3);
}

}  // namespace
}  // namespace gorila
