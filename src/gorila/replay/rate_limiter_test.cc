#include "gorila/replay/rate_limiter.h"

#include <gtest/gtest.h>

#include <vector>

namespace gorila {
namespace {

// Takes every sample that the limiter allows; how many those were.
int Drain(RateLimiter& limiter) {
  int samples = 0;
  for (; limiter.CanSample(); ++samples) limiter.OnSample();
  return samples;
}

TEST(RateLimiterTest, AllowsTheFirstSampleAtTheMinimumSize) {
  RateLimiter limiter({.updates_per_step = 0.5, .min_size = 10});
  for (int i = 0; i < 9; ++i) {
    limiter.OnInsert();
    EXPECT_FALSE(limiter.CanSample()) << i;
  }
  limiter.OnInsert();
  EXPECT_EQ(Drain(limiter), 1);
}

TEST(RateLimiterTest, NeedsAnInsertEvenWithoutAMinimumSize) {
  RateLimiter limiter({.updates_per_step = 1, .min_size = 0});
  EXPECT_FALSE(limiter.CanSample());
  limiter.OnInsert();
  EXPECT_TRUE(limiter.CanSample());
}

TEST(RateLimiterTest, AQuarterUpdateAStepIsOneSampleEveryFourInserts) {
  RateLimiter limiter({.updates_per_step = 0.25, .min_size = 3});
  std::vector<int> samples;
  for (int i = 0; i < 12; ++i) {
    limiter.OnInsert();
    samples.push_back(Drain(limiter));
  }
  EXPECT_EQ(samples, (std::vector<int>{0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0}));
}

TEST(RateLimiterTest, TwoAndAHalfUpdatesAStepAreTwoAndThreeSamplesInTurn) {
  RateLimiter limiter({.updates_per_step = 2.5, .min_size = 1});
  std::vector<int> samples;
  for (int i = 0; i < 6; ++i) {
    limiter.OnInsert();
    samples.push_back(Drain(limiter));
  }
  EXPECT_EQ(samples, (std::vector<int>{1, 2, 3, 2, 3, 2}));
}

TEST(RateLimiterTest, KeepsToAnyRatio) {
  for (const double ratio : {0.001, 0.1, 1.0 / 3, 0.7, 1.0, 1.5, 3.14159, 16.0}) {
    constexpr std::int64_t kMinSize = 17;
    RateLimiter limiter({.updates_per_step = ratio, .min_size = kMinSize});
    for (std::int64_t inserts = 1; inserts <= 3000; ++inserts) {
      limiter.OnInsert();
      const std::int64_t allowed = limiter.Allowed();
      ASSERT_EQ(Drain(limiter), allowed);
      if (inserts < kMinSize) continue;
      // The first sample is free; of the others as many as are paid for, and no whole one fewer.
      const double paid = ratio * static_cast<double>(inserts - kMinSize);
      const auto others = static_cast<double>(limiter.sampled() - 1);
      ASSERT_LE(others, paid) << ratio << " after " << inserts;
      ASSERT_GT(others, paid - 1) << ratio << " after " << inserts;
    }
  }
}

TEST(RateLimiterTest, CatchesUpWithWhatWasNotSampledInTime) {
  RateLimiter limiter({.updates_per_step = 0.5, .min_size = 10});
  for (int i = 0; i < 30; ++i) limiter.OnInsert();
  EXPECT_EQ(Drain(limiter), 11);
}

TEST(RateLimiterTest, InsertsNeverWaitUnlessALeadIsGiven) {
  RateLimiter limiter({.updates_per_step = 0.5, .min_size = 2, .insert_lead = 0});
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(limiter.CanInsert());
    limiter.OnInsert();
  }
}

TEST(RateLimiterTest, InsertsWaitWhenSamplesAreFurtherBehindThanTheLead) {
  RateLimiter limiter({.updates_per_step = 0.5, .min_size = 10, .insert_lead = 6});
  int inserts = 0;
  for (; limiter.CanInsert(); ++inserts) limiter.OnInsert();
  EXPECT_EQ(inserts, 16);
  limiter.OnSample();  // pays for two steps
  for (; limiter.CanInsert(); ++inserts) limiter.OnInsert();
  EXPECT_EQ(inserts, 18);
}

TEST(RateLimiterTest, WithALeadSamplesAndInsertsNeverBothWait) {
  for (const double ratio : {0.1, 0.7, 1.0, 3.14159}) {
    RateLimiter limiter({.updates_per_step = ratio, .min_size = 7, .insert_lead = 1});
    for (int round = 0; round < 2000; ++round) {
      ASSERT_TRUE(limiter.CanInsert() || limiter.CanSample()) << ratio << " round " << round;
      if (limiter.CanInsert()) limiter.OnInsert();
      Drain(limiter);
    }
    EXPECT_GT(limiter.inserted(), 1990);
  }
}

TEST(RateLimiterTest, GoesOnAfterARestore) {
  const RateLimiter::Options options{.updates_per_step = 0.4, .min_size = 5};
  RateLimiter limiter(options);
  for (int i = 0; i < 21; ++i) {
    limiter.OnInsert();
    Drain(limiter);
  }
  StateWriter writer;
  limiter.SaveState(writer);
  RateLimiter restored(options);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  EXPECT_EQ(restored.inserted(), 21);
  EXPECT_EQ(restored.sampled(), limiter.sampled());
  for (int i = 0; i < 20; ++i) {
    limiter.OnInsert();
    restored.OnInsert();
    ASSERT_EQ(Drain(restored), Drain(limiter));
  }
  StateReader truncated(std::string_view(writer.bytes()).substr(0, 12));
  EXPECT_TRUE(absl::IsDataLoss(restored.RestoreState(truncated)));
}

}  // namespace
}  // namespace gorila
