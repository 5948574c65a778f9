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

TEST(AggregateRunsTest, BandIsStudentsConfidenceInterval) {
  std::vector<std::vector<CurveSample>> runs;
  for (const double y : {1.0, 2.0, 3.0, 4.0, 5.0}) runs.push_back({{0, y}, {1, y}});
  const auto points = AggregateRuns(runs, 2);
  ASSERT_EQ(points.size(), 2u);
  // scipy.stats.t.interval(0.95, 4, 3, scipy.stats.sem([1, 2, 3, 4, 5]))
  EXPECT_NEAR(points[0].low, 1.036756838522439, 1e-4);
  EXPECT_NEAR(points[0].high, 4.9632431614775605, 1e-4);
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
