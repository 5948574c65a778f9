#include "gorila/scores/score_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gorila/base/random.h"

namespace gorila {
namespace {

TEST(ScoreStatisticsTest, NormalisesByTheNamedDenominator) {
  EXPECT_DOUBLE_EQ(NormalisedScore(15, {.random = 10, .human = 20}, Denominator::kSigned), 50);
  EXPECT_DOUBLE_EQ(NormalisedScore(15, {.random = 10, .human = 20}, Denominator::kAbsolute), 50);
  // People worse than chance: only the sign differs.
  EXPECT_DOUBLE_EQ(NormalisedScore(30, {.random = 20, .human = 10}, Denominator::kSigned), -100);
  EXPECT_DOUBLE_EQ(NormalisedScore(30, {.random = 20, .human = 10}, Denominator::kAbsolute), 100);
}

TEST(ScoreStatisticsTest, SeveralRunsAreResampledWithinTheirGames) {
  // Games far apart: between them intervals would be wide, within them they are narrow.
  const std::vector<std::vector<double>> games = {{0, 1, 2}, {1000, 1001, 1002}};
  const ScoreAggregates aggregates = AggregateScores(games, {.resamples = 500, .seed = 3});
  EXPECT_EQ(aggregates.resampling, Resampling::kRuns);
  EXPECT_EQ(aggregates.games, 2u);
  EXPECT_DOUBLE_EQ(aggregates.mean.value, 501);
  EXPECT_GE(aggregates.mean.low, 500);
  EXPECT_LE(aggregates.mean.high, 502);
  EXPECT_LT(aggregates.mean.low, aggregates.mean.high);
}

TEST(ScoreStatisticsTest, SingleRunsMeanThatGamesAreResampled) {
  const std::vector<std::vector<double>> games = {{0}, {1000}, {500}};
  const ScoreAggregates aggregates = AggregateScores(games, {.resamples = 500, .seed = 3});
  EXPECT_EQ(aggregates.resampling, Resampling::kGames);
  EXPECT_LT(aggregates.mean.low, 200);
  EXPECT_GT(aggregates.mean.high, 800);
}

TEST(ScoreStatisticsTest, TooLittleToResampleGivesNoInterval) {
  const std::vector<std::vector<double>> one = {{42}};
  const ScoreAggregates aggregates = AggregateScores(one, {});
  EXPECT_EQ(aggregates.resampling, Resampling::kNothing);
  EXPECT_EQ(aggregates.median.value, 42);
  EXPECT_TRUE(std::isnan(aggregates.median.low));
  const std::vector<std::vector<double>> two = {{1}, {2}};
  EXPECT_TRUE(std::isnan(AggregateScores(two, {.resamples = 0}).mean.low));
  EXPECT_TRUE(std::isnan(AggregateScores({}, {}).mean.value));
}

TEST(ScoreStatisticsTest, TheSeedFixesTheIntervals) {
  const std::vector<std::vector<double>> games = {{0, 3}, {10, 25}, {7, 7.5}};
  const auto low = [&](std::uint64_t seed) {
    return AggregateScores(games, {.resamples = 200, .seed = seed}).interquartile_mean.low;
  };
  EXPECT_EQ(low(1), low(1));
}

// The interval of a mean of normal samples has its known coverage, whatever the seed.
TEST(ScoreStatisticsTest, IntervalsCoverTheTrueMeanAboutAsOftenAsTheySay) {
  RandomStream random(5);
  int covered = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<std::vector<double>> games(1);
    for (int i = 0; i < 30; ++i) {
      double sum = -6;
      for (int k = 0; k < 12; ++k) sum += random.Uniform();
      games[0].push_back(sum);
    }
    const Estimate mean = AggregateScores(games, {.resamples = 200, .seed = 9}).mean;
    covered += mean.low <= 0 && 0 <= mean.high ? 1 : 0;
  }
  EXPECT_GT(covered, kTrials * 87 / 100);
  EXPECT_LT(covered, kTrials * 99 / 100);
}

}  // namespace
}  // namespace gorila
