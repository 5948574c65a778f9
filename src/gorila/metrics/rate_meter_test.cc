#include "gorila/metrics/rate_meter.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

using std::chrono::milliseconds;

RateMeter::TimePoint At(int ms) { return RateMeter::TimePoint(milliseconds(ms)); }

TEST(RateMeterTest, IsZeroUntilTimeHasPassedBetweenTwoReadings) {
  RateMeter meter;
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Update(At(1000), 500);
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Update(At(1000), 600);
  EXPECT_EQ(meter.PerSecond(), 0);
}

TEST(RateMeterTest, CountsFromTheFirstReadingNotFromZero) {
  RateMeter meter;
  meter.Update(At(0), 1000000);  // a resumed run
  meter.Update(At(500), 1000100);
  EXPECT_DOUBLE_EQ(meter.PerSecond(), 200);
}

TEST(RateMeterTest, ForgetsWhatIsOlderThanTheWindow) {
  RateMeter meter(milliseconds(5000));
  std::uint64_t total = 0;
  for (int second = 0; second <= 10; ++second) meter.Update(At(1000 * second), total += 1000);
  for (int second = 11; second <= 20; ++second) meter.Update(At(1000 * second), total += 10);
  EXPECT_DOUBLE_EQ(meter.PerSecond(), 10);
}

TEST(RateMeterTest, CoversTheWholeWindowWhenReadingsAreRare) {
  RateMeter meter(milliseconds(5000));
  meter.Update(At(0), 0);
  meter.Update(At(8000), 80);
  EXPECT_DOUBLE_EQ(meter.PerSecond(), 10);
  meter.Update(At(16000), 240);
  EXPECT_DOUBLE_EQ(meter.PerSecond(), 20);
}

TEST(RateMeterTest, FallsToZeroWhenTheCounterStands) {
  RateMeter meter(milliseconds(5000));
  meter.Update(At(0), 0);
  for (int second = 1; second <= 7; ++second) meter.Update(At(1000 * second), 100);
  EXPECT_DOUBLE_EQ(meter.PerSecond(), 0);
}

TEST(RateMeterTest, StartsAfreshWhenTheCounterWentBack) {
  RateMeter meter;
  meter.Update(At(0), 1000);
  meter.Update(At(1000), 2000);
  meter.Update(At(2000), 500);
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Update(At(3000), 530);
  EXPECT_DOUBLE_EQ(meter.PerSecond(), 30);
}

}  // namespace
}  // namespace gorila
