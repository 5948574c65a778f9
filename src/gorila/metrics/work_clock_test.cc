#include "gorila/metrics/work_clock.h"

#include <gtest/gtest.h>

#include <numeric>

namespace gorila {
namespace {

double SecondsOf(const WorkClock& clock, Work work) {
  return clock.seconds()[static_cast<std::size_t>(work)];
}

// Until the clock has visibly moved.
void Spin() {
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::microseconds(50)) {
  }
}

TEST(WorkClockTest, BeginsWaiting) {
  WorkClock clock;
  Spin();
  EXPECT_EQ(clock.Switch(Work::kActing), Work::kWaiting);
  EXPECT_GT(SecondsOf(clock, Work::kWaiting), 0);
  EXPECT_EQ(SecondsOf(clock, Work::kActing), 0);
}

TEST(WorkClockTest, ScopesNestAndGoBack) {
  WorkClock clock;
  {
    const WorkScope acting(clock, Work::kActing);
    {
      const WorkScope pulling(clock, Work::kParameterServer);
      Spin();
    }
    EXPECT_EQ(SecondsOf(clock, Work::kLearning), 0);
    Spin();
  }
  EXPECT_GE(SecondsOf(clock, Work::kParameterServer), 50e-6);
  EXPECT_GE(SecondsOf(clock, Work::kActing), 50e-6);
  EXPECT_EQ(clock.Switch(Work::kLearning), Work::kWaiting);
}

TEST(WorkClockTest, AllTimeIsAccountedFor) {
  const auto begin = std::chrono::steady_clock::now();
  WorkClock clock;
  for (int i = 0; i < 100; ++i) {
    clock.Switch(static_cast<Work>(i % static_cast<int>(kWorks)));
    Spin();
  }
  clock.Switch(Work::kWaiting);
  const WorkSeconds& seconds = clock.seconds();
  const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(sum, 100 * 50e-6);
  EXPECT_LE(sum, passed.count());
}

}  // namespace
}  // namespace gorila
