#include "gorila/metrics/episode_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gorila/base/random.h"

namespace gorila {
namespace {

TEST(EpisodeStatisticsTest, HasNoMeansBeforeTheFirstEpisode) {
  const EpisodeStatistics statistics;
  EXPECT_EQ(statistics.episodes(), 0u);
  EXPECT_TRUE(std::isnan(statistics.MeanReturn()));
  EXPECT_TRUE(std::isnan(statistics.MeanLength()));
}

TEST(EpisodeStatisticsTest, AveragesTheWindowAndCountsAll) {
  EpisodeStatistics statistics(3);
  for (int i = 1; i <= 5; ++i) statistics.Add(i, static_cast<std::uint64_t>(10 * i));
  EXPECT_EQ(statistics.episodes(), 5u);
  EXPECT_DOUBLE_EQ(statistics.MeanReturn(), 4);
  EXPECT_DOUBLE_EQ(statistics.MeanLength(), 40);
}

TEST(EpisodeStatisticsTest, RestoredGoesOnBitForBit) {
  EpisodeStatistics whole(7);
  EpisodeStatistics first_half(7);
  RandomStream random(1);
  std::vector<double> returns(40);
  for (double& value : returns) value = random.Uniform();
  for (int i = 0; i < 20; ++i) first_half.Add(returns[i], 1);
  StateWriter writer;
  first_half.SaveState(writer);
  EpisodeStatistics resumed(7);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(resumed.RestoreState(reader).ok());
  EXPECT_TRUE(reader.Finish().ok());
  for (int i = 0; i < 40; ++i) whole.Add(returns[i], 1);
  for (int i = 20; i < 40; ++i) resumed.Add(returns[i], 1);
  EXPECT_EQ(resumed.MeanReturn(), whole.MeanReturn());
  EXPECT_EQ(resumed.episodes(), 40u);
}

TEST(EpisodeStatisticsTest, RefusesStateThatIsNotItsOwnAndKeepsWhatItHas) {
  EpisodeStatistics other(8);
  other.Add(1, 1);
  StateWriter writer;
  other.SaveState(writer);
  EpisodeStatistics statistics(7);
  statistics.Add(3, 4);
  StateReader wrong_window(writer.bytes());
  EXPECT_EQ(statistics.RestoreState(wrong_window).code(), absl::StatusCode::kDataLoss);
  EpisodeStatistics eight(8);
  StateReader truncated(std::string_view(writer.bytes()).substr(0, writer.bytes().size() - 1));
  EXPECT_EQ(eight.RestoreState(truncated).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(eight.episodes(), 0u);
  EXPECT_EQ(statistics.MeanReturn(), 3);
}

TEST(EpisodeStatisticsTest, RefusesACountThatDoesNotMatchItsEpisodes) {
  StateWriter writer;
  writer.Write<std::uint64_t>(100);  // window
  writer.Write<std::uint64_t>(5);    // episodes, but none follow
  writer.Write<std::uint64_t>(0);
  EpisodeStatistics statistics;
  StateReader reader(writer.bytes());
  EXPECT_EQ(statistics.RestoreState(reader).code(), absl::StatusCode::kDataLoss);
}

TEST(RunningStatisticsTest, AgreesWithTheTwoPassFormulas) {
  RandomStream random(2);
  std::vector<double> samples(1000);
  for (double& sample : samples) sample = 1e9 + random.Uniform();  // cancellation would show
  RunningStatistics statistics;
  for (const double sample : samples) statistics.Add(sample);
  long double sum = 0;
  for (const double sample : samples) sum += sample;
  const long double mean = sum / 1000;
  long double squares = 0;
  for (const double sample : samples) squares += (sample - mean) * (sample - mean);
  const double deviation = std::sqrt(static_cast<double>(squares / 999));
  EXPECT_EQ(statistics.count(), 1000u);
  EXPECT_NEAR(statistics.mean(), static_cast<double>(mean), 1e-6);
  EXPECT_NEAR(statistics.StandardDeviation(), deviation, 1e-6);
  EXPECT_NEAR(statistics.StandardErrorOfMean(), deviation / std::sqrt(1000.0), 1e-7);
}

TEST(RunningStatisticsTest, NeedsTwoSamplesForAnError) {
  RunningStatistics statistics;
  EXPECT_TRUE(std::isnan(statistics.mean()));
  statistics.Add(3);
  EXPECT_EQ(statistics.mean(), 3);
  EXPECT_TRUE(std::isnan(statistics.StandardDeviation()));
  EXPECT_TRUE(std::isnan(statistics.StandardErrorOfMean()));
}

TEST(SummariseReturnsTest, GivesOrderStatisticsOfUnsortedSamples) {
  const std::vector<double> odd = {5, -1, 3};
  EXPECT_EQ(SummariseReturns(odd).median, 3);
  const std::vector<double> even = {4, 1, 3, 2};
  const ReturnSummary summary = SummariseReturns(even);
  EXPECT_EQ(summary.count, 4u);
  EXPECT_DOUBLE_EQ(summary.mean, 2.5);
  EXPECT_DOUBLE_EQ(summary.median, 2.5);
  EXPECT_EQ(summary.minimum, 1);
  EXPECT_EQ(summary.maximum, 4);
  EXPECT_NEAR(summary.standard_error, std::sqrt(5.0 / 3.0) / 2, 1e-12);
}

TEST(SummariseReturnsTest, IsNanWithoutSamples) {
  const ReturnSummary summary = SummariseReturns({});
  EXPECT_EQ(summary.count, 0u);
  EXPECT_TRUE(std::isnan(summary.mean));
  EXPECT_TRUE(std::isnan(summary.median));
}

}  // namespace
}  // namespace gorila
