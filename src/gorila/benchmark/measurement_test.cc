#include "gorila/benchmark/measurement.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

// A clock that only the measured work moves: rates come out exactly.
class MeasureTest : public testing::Test {
 protected:
  TimedWork Work(double seconds, double amount = 1) {
    return {.call = [this, seconds] { now_ += seconds; }, .amount = amount};
  }
  BenchmarkClock Clock() {
    return [this] { return now_; };
  }

  double now_ = 100;
};

TEST_F(MeasureTest, GivesTheRateInUnitsOfAmount) {
  const BenchmarkResult result = Measure({.name = "work"}, 1, Clock(), Work(0.01, 8));
  EXPECT_EQ(result.name, "work");
  EXPECT_NEAR(result.value, 800, 1e-6);
  EXPECT_NEAR(result.spread, 0, 1e-9);
  EXPECT_FALSE(result.limit.has_value());
  EXPECT_FALSE(result.ratio.has_value());
}

TEST_F(MeasureTest, ComparesWithTheLimit) {
  const TimedWork limit = Work(0.001, 2);
  const BenchmarkResult result = Measure({}, 1, Clock(), Work(0.002, 1), &limit);
  EXPECT_NEAR(result.value, 500, 1e-6);
  EXPECT_NEAR(result.limit.value(), 2000, 1e-6);
  EXPECT_NEAR(result.ratio.value(), 0.25, 1e-9);
}

TEST_F(MeasureTest, ARatioIsThatOfTurnsWhenTheMachineSlowsDown) {
  // Both become slower by a tenth with every turn, so that each turn's ratio is a half.
  double factor = 1;
  const TimedWork work{.call = [&] { now_ += 0.2 * factor; }};
  const TimedWork limit{.call = [&] {
    now_ += 0.1 * factor;
    factor *= 1.1;
  }};
  const BenchmarkResult result = Measure({}, 1, Clock(), work, &limit);
  EXPECT_NEAR(result.ratio.value(), 0.5, 1e-9);
  EXPECT_GT(result.spread, kNoisySpread);
}

TEST_F(MeasureTest, WorkLongerThanASliceRunsOnceASlice) {
  int calls = 0;
  const TimedWork work{.call = [&] {
    ++calls;
    now_ += 5;
  }};
  const BenchmarkResult result = Measure({}, 1, Clock(), work);
  EXPECT_NEAR(result.value, 0.2, 1e-9);
  EXPECT_LE(calls, 12);
}

TEST(PercentileTest, InterpolatesBetweenSortedValues) {
  EXPECT_DOUBLE_EQ(Percentile({3, 1, 2}, 0.5), 2);
  EXPECT_DOUBLE_EQ(Percentile({4, 1}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Percentile({7}, 0.9), 7);
  EXPECT_DOUBLE_EQ(Percentile({0, 10}, 1), 10);
}

}  // namespace
}  // namespace gorila
