#include "gorila/metrics/seed_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using Games = std::vector<std::vector<double>>;

std::vector<double> Draw(RandomStream& random, std::size_t count) {
  std::vector<double> values(count);
  for (double& value : values) value = 100 * random.Uniform() - 30;
  return values;
}

std::vector<double> Shuffled(std::vector<double> values, RandomStream& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.Below(i)]);
  return values;
}

void ExpectEqual(const Estimate& a, const Estimate& b) {
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
}

TEST(MedianTest, OfOddEvenAndNone) {
  EXPECT_EQ(Median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(Median(std::vector<double>{4, 1, 2, 3}), 2.5);
  EXPECT_TRUE(std::isnan(Median({})));
}

TEST(InterquartileMeanTest, OfFourTimesKValuesIsTheMeanOfTheMiddleHalf) {
  RandomStream random(1);
  for (std::size_t quarter = 1; quarter <= 12; ++quarter) {
    std::vector<double> values = Draw(random, 4 * quarter);
    const double statistic = InterquartileMean(values);
    std::sort(values.begin(), values.end());
    EXPECT_NEAR(statistic, Mean(std::span(values).subspan(quarter, 2 * quarter)), 1e-9);
  }
}

// By hand: of five values a quarter is 1.25 values, so the second counts 0.75 of itself.
TEST(InterquartileMeanTest, CountsValuesAtTheBordersInPart) {
  EXPECT_DOUBLE_EQ(InterquartileMean(std::vector<double>{0, 10, 1, 2, 100}),
                   (0.75 * 1 + 2 + 0.75 * 10) / 2.5);
  EXPECT_DOUBLE_EQ(InterquartileMean(std::vector<double>{3, 9, 0}),
                   (0.25 * 0 + 3 + 0.25 * 9) / 1.5);
  EXPECT_DOUBLE_EQ(InterquartileMean(std::vector<double>{1, 5}), 3);
  EXPECT_DOUBLE_EQ(InterquartileMean(std::vector<double>{7}), 7);
  EXPECT_TRUE(std::isnan(InterquartileMean({})));
}

TEST(EstimateScoresTest, AGameWithMoreRunsDoesNotCountMore) {
  const Games games = {{1}, {5, 5, 5}};
  EXPECT_DOUBLE_EQ(EstimateScores(games, Statistic::kMean).value, 3);
  EXPECT_DOUBLE_EQ(EstimateScores(games, Statistic::kInterquartileMean).value, 3);
}

TEST(EstimateScoresTest, IntervalsContainTheStatisticOfSymmetricalScores) {
  RandomStream random(2);
  for (std::size_t half = 1; half <= 10; ++half) {
    std::vector<double> values;
    for (const double value : Draw(random, half)) {
      values.insert(values.end(), {7 + value, 7 - value});
    }
    for (const Statistic statistic : {Statistic::kMean, Statistic::kInterquartileMean}) {
      const Estimate estimate = EstimateScores(values, statistic);
      EXPECT_NEAR(estimate.value, 7, 1e-9);
      EXPECT_LE(estimate.low, 7 + 1e-9);
      EXPECT_GE(estimate.high, 7 - 1e-9);
      EXPECT_GE(estimate.low, *std::min_element(values.begin(), values.end()));
      EXPECT_LE(estimate.high, *std::max_element(values.begin(), values.end()));
    }
  }
}

// All 3^3 resamples of 0, 1, 5 are equally likely; means by their probability in 27ths:
// 0:1 1/3:3 2/3:3 1:1 5/3:3 2:6 7/3:3 10/3:3 11/3:3 5:1. One in 27 is more than 2.5 %, so both ends
// are at the outermost values.
TEST(EstimateScoresTest, OfThreeRunsTheIntervalReachesTheOutermost) {
  const Estimate mean = EstimateScores(std::vector<double>{5, 0, 1}, Statistic::kMean);
  EXPECT_EQ(mean.low, 0);
  EXPECT_EQ(mean.high, 5);
}

TEST(EstimateScoresTest, OneRunHasNoIntervalAndLeavesGamesWithoutOne) {
  EXPECT_FALSE(EstimateScores(std::vector<double>{3}, Statistic::kMean).HasInterval());
  const Games games = {{1, 2, 3}, {4}};
  const Estimate mean = EstimateScores(games, Statistic::kMean);
  EXPECT_DOUBLE_EQ(mean.value, 3);
  EXPECT_FALSE(mean.HasInterval());
  EXPECT_FALSE(EstimateScores(Games{{1, 2}}, Statistic::kMean, {.resamples = 0}).HasInterval());
}

TEST(EstimateScoresTest, GamesAreResampledByThemselves) {
  // Between games that are far apart intervals would be wide.
  const Games games = {{0, 1, 2}, {1000, 1001, 1002}};
  const Estimate mean = EstimateScores(games, Statistic::kMean);
  EXPECT_DOUBLE_EQ(mean.value, 501);
  EXPECT_GE(mean.low, 500);
  EXPECT_LE(mean.high, 502);
  EXPECT_LT(mean.low, mean.high);
}

TEST(EstimateScoresTest, NeitherTheOrderOfRunsNorTheCallChangesIt) {
  RandomStream random(3);
  const std::vector<double> values = Draw(random, 9), others = Draw(random, 6);
  const std::vector<double> mixed = Shuffled(values, random);
  for (const Statistic statistic : {Statistic::kMean, Statistic::kInterquartileMean}) {
    ExpectEqual(EstimateScores(values, statistic), EstimateScores(mixed, statistic));
    ExpectEqual(EstimateScores(Games{values, others}, statistic),
                EstimateScores(Games{mixed, Shuffled(others, random)}, statistic));
  }
  const Estimate first = EstimateScores(values, Statistic::kMean, {.seed = 1});
  EXPECT_NE(first.low, EstimateScores(values, Statistic::kMean, {.seed = 2}).low);
}

TEST(EstimateScoresTest, OneGameIsTheSameAsAListOfOne) {
  RandomStream random(4);
  const std::vector<double> values = Draw(random, 8);
  const Estimate one = EstimateScores(values, Statistic::kInterquartileMean);
  const Estimate list = EstimateScores(Games{values}, Statistic::kInterquartileMean);
  EXPECT_NEAR(one.value, list.value, 1e-9);
  EXPECT_NEAR(one.low, list.low, 1e-9);
  EXPECT_NEAR(one.high, list.high, 1e-9);
}

TEST(PerformanceProfileTest, IsTheFractionOfRunsAboveEachThreshold) {
  const Games games = {{0.5, 1.5}, {1, 2, 3, 4}};
  const std::vector<double> thresholds = {-1, 0.5, 1, 2.5, 4};
  const auto profile = PerformanceProfile(games, thresholds);
  ASSERT_EQ(profile.size(), thresholds.size());
  const std::vector<double> expected = {1, 0.75, (0.5 + 0.75) / 2, (0 + 0.5) / 2, 0};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(profile[i].x, thresholds[i]);
    EXPECT_NEAR(profile[i].mean, expected[i], 1e-12);
    EXPECT_LE(profile[i].low, profile[i].mean);
    EXPECT_GE(profile[i].high, profile[i].mean);
    EXPECT_GE(profile[i].low, 0);
    EXPECT_LE(profile[i].high, 1);
    if (i > 0) {
      EXPECT_LE(profile[i].mean, profile[i - 1].mean);
    }
  }
}

TEST(PerformanceProfileTest, SingleRunsHaveNoBand) {
  const auto profile = PerformanceProfile(Games{{1}, {2}}, std::vector<double>{1.5});
  EXPECT_DOUBLE_EQ(profile[0].mean, 0.5);
  EXPECT_TRUE(std::isnan(profile[0].low));
}

TEST(ProbabilityOfImprovementTest, CountsPairsAndTiesHalf) {
  // 4 > 1, 2, 3; 2 > 1, = 2, < 3.
  const Games x = {{4, 2}}, y = {{1, 2, 3}};
  EXPECT_DOUBLE_EQ(ProbabilityOfImprovement(x, y).value, (3 + 1.5) / 6);
  const Games more_x = {{4, 2}, {0}}, more_y = {{1, 2, 3}, {1}};
  EXPECT_DOUBLE_EQ(ProbabilityOfImprovement(more_x, more_y).value, (4.5 / 6 + 0) / 2);
}

TEST(ProbabilityOfImprovementTest, BothDirectionsAddUpToOne) {
  RandomStream random(5);
  for (int trial = 0; trial < 20; ++trial) {
    Games x, y;
    for (int game = 0; game < 3; ++game) {
      for (Games* const games : {&x, &y}) {
        std::vector<double>& runs = games->emplace_back(Draw(random, 2 + random.Below(6)));
        for (double& score : runs) score = std::round(score / 20);  // with ties
      }
    }
    const Estimate forth = ProbabilityOfImprovement(x, y), back = ProbabilityOfImprovement(y, x);
    EXPECT_NEAR(forth.value + back.value, 1, 1e-12);
    EXPECT_LE(forth.low, forth.value + 1e-12);
    EXPECT_GE(forth.high, forth.value - 1e-12);
    EXPECT_LE(0, forth.low);
    EXPECT_LE(forth.high, 1);
  }
}

TEST(ProbabilityOfImprovementTest, OfTheSameScoresIsAHalf) {
  const Games same = {{1, 2, 3, 4}, {9, 9, 1}};
  EXPECT_DOUBLE_EQ(ProbabilityOfImprovement(same, same).value, 0.5);
  const Games above = {{11, 12, 13, 14}, {19, 19, 11}};
  const Estimate surely = ProbabilityOfImprovement(above, same);
  EXPECT_EQ(surely.value, 1);
  EXPECT_EQ(surely.low, 1);
  EXPECT_FALSE(ProbabilityOfImprovement(Games{{1}}, Games{{0, 2}}).HasInterval());
}

TEST(ProbabilityOfImprovementTest, TheOrderOfRunsDoesNotCount) {
  RandomStream random(6);
  const std::vector<double> x = Draw(random, 5), y = Draw(random, 7);
  ExpectEqual(ProbabilityOfImprovement(Games{x}, Games{y}),
              ProbabilityOfImprovement(Games{Shuffled(x, random)}, Games{Shuffled(y, random)}));
}

}  // namespace
}  // namespace gorila
