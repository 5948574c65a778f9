#include "gorila/learner/outlier_filter.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Losses around 10 with standard deviation 1/sqrt(3).
std::vector<double> UsualLosses(int count, std::uint64_t seed = 1) {
  RandomStream random(seed);
  std::vector<double> losses;
  for (int i = 0; i < count; ++i) losses.push_back(9 + 2 * random.Uniform());
  return losses;
}

OutlierFilter Warm(const OutlierFilter::Options& options, const std::vector<double>& losses) {
  OutlierFilter filter(options);
  for (const double loss : losses) filter.IsOutlier(loss);
  return filter;
}

TEST(OutlierFilterTest, NothingIsAnOutlierWhileItWarmsUp) {
  OutlierFilter filter({.deviations = 3, .averaging = 0.99, .warm_up = 50});
  for (int i = 0; i < 49; ++i) EXPECT_FALSE(filter.IsOutlier(1 + i % 2)) << i;
  EXPECT_FALSE(filter.IsOutlier(1e6)) << "the 50th";
  OutlierFilter ready({.deviations = 3, .averaging = 0.99, .warm_up = 50});
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(ready.IsOutlier(1 + i % 2)) << i;
  EXPECT_TRUE(ready.IsOutlier(1e6)) << "the 51st";
}

TEST(OutlierFilterTest, TheLimitIsMeanPlusKDeviationsOfTheAbsoluteLosses) {
  // While they are fewer than 1 / (1 - averaging), all losses count the same.
  const OutlierFilter::Options options{.deviations = 4, .averaging = 0.999, .warm_up = 100};
  std::vector<double> losses = UsualLosses(100);
  double mean = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    mean += losses[i] / 100;
    if (i % 3 == 0) losses[i] = -losses[i];
  }
  double variance = 0;
  for (const double loss : losses) {
    variance += (std::abs(loss) - mean) * (std::abs(loss) - mean) / 100;
  }
  const double limit = mean + 4 * std::sqrt(variance);
  EXPECT_FALSE(Warm(options, losses).IsOutlier(limit - 1e-6));
  EXPECT_TRUE(Warm(options, losses).IsOutlier(limit + 1e-6));
  EXPECT_FALSE(Warm(options, losses).IsOutlier(-limit + 1e-6));
  EXPECT_TRUE(Warm(options, losses).IsOutlier(-limit - 1e-6));
}

TEST(OutlierFilterTest, OldLossesAreForgottenExponentially) {
  const OutlierFilter::Options options{.deviations = 2, .averaging = 0.9, .warm_up = 1};
  std::vector<double> losses = UsualLosses(60);
  // The definition: moments in which every loss weighs 0.9 of the next one.
  double weights = 0;
  double mean = 0;
  double mean_square = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double weight = std::pow(0.9, static_cast<double>(losses.size() - 1 - i));
    weights += weight;
    mean += weight * losses[i];
    mean_square += weight * losses[i] * losses[i];
  }
  mean /= weights;
  mean_square /= weights;
  const double limit = mean + 2 * std::sqrt(mean_square - mean * mean);
  // The first ten count equally instead, which by now weighs 0.9^50 = 0.005.
  EXPECT_FALSE(Warm(options, losses).IsOutlier(limit - 0.02));
  EXPECT_TRUE(Warm(options, losses).IsOutlier(limit + 0.02));
}

TEST(OutlierFilterTest, OnlyTheHighSideCounts) {
  OutlierFilter filter = Warm({.deviations = 3}, UsualLosses(500));
  EXPECT_FALSE(filter.IsOutlier(0));
  EXPECT_TRUE(filter.IsOutlier(20));
}

TEST(OutlierFilterTest, AcceptsALastingRise) {
  OutlierFilter filter = Warm({.deviations = 6}, UsualLosses(1000));
  EXPECT_TRUE(filter.IsOutlier(100));
  int refused = 0;
  for (const double loss : UsualLosses(500, 2)) refused += filter.IsOutlier(loss + 90) ? 1 : 0;
  EXPECT_LT(refused, 20);
  EXPECT_FALSE(filter.IsOutlier(100));
  EXPECT_TRUE(filter.IsOutlier(1000)) << "there still are outliers at the new level";
}

TEST(OutlierFilterTest, NanAndInfinityAreOutliersFromTheFirstAndDoNotJoin) {
  const std::vector<double> losses = UsualLosses(300);
  OutlierFilter clean({.deviations = 2, .warm_up = 10});
  OutlierFilter filter({.deviations = 2, .warm_up = 10});
  for (const double loss : losses) {
    for (const double bad : {kNan, kInfinity, -kInfinity}) EXPECT_TRUE(filter.IsOutlier(bad));
    ASSERT_EQ(filter.IsOutlier(loss), clean.IsOutlier(loss));
  }
}

TEST(OutlierFilterTest, ZeroDeviationsSwitchItOff) {
  OutlierFilter filter = Warm({.deviations = 0, .warm_up = 0}, UsualLosses(200));
  EXPECT_FALSE(filter.IsOutlier(1e9));
}

TEST(OutlierFilterTest, EqualLossesAreNoOutliers) {
  OutlierFilter filter({.deviations = 6, .warm_up = 10});
  for (int i = 0; i < 10000; ++i) ASSERT_FALSE(filter.IsOutlier(0.3)) << i;
}

TEST(OutlierFilterTest, GoesOnAfterARestore) {
  const OutlierFilter::Options options{.deviations = 1, .averaging = 0.95, .warm_up = 20};
  OutlierFilter filter = Warm(options, UsualLosses(70));
  StateWriter writer;
  filter.SaveState(writer);
  OutlierFilter restored(options);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  ASSERT_TRUE(reader.Finish().ok());
  int outliers = 0;
  for (const double loss : UsualLosses(200, 3)) {
    const bool outlier = filter.IsOutlier(loss);
    ASSERT_EQ(restored.IsOutlier(loss), outlier);
    outliers += outlier ? 1 : 0;
  }
  EXPECT_GT(outliers, 0);
  StateReader truncated(std::string_view(writer.bytes()).substr(0, 20));
  EXPECT_TRUE(absl::IsDataLoss(restored.RestoreState(truncated)));
}

}  // namespace
}  // namespace gorila
