#include "gorila/metrics/geometric_steps.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

int Passed(std::int64_t steps, std::int64_t size, double per_factor) {
  int passed = 0;
  for (std::int64_t i = 1; i <= steps; ++i) {
    passed += PassesGeometricStep((i - 1) * size, i * size, per_factor) ? 1 : 0;
  }
  return passed;
}

TEST(GeometricStepsTest, TheFirstStepsAllPass) {
  EXPECT_EQ(Passed(8, 1, 8), 8);
  EXPECT_EQ(Passed(1000, 320, 1024), 1000);
}

TEST(GeometricStepsTest, AMillionStepsPassLittleMoreThanAThousandDo) {
  EXPECT_LE(Passed(1000, 250'000, 8), 47);
  EXPECT_LE(Passed(1'000'000, 250'000, 8), 102);
  EXPECT_GE(Passed(1'000'000, 250'000, 8), 95) << "late steps pass too";
}

TEST(GeometricStepsTest, AStepThatDoesNotGrowNeverPasses) {
  EXPECT_FALSE(PassesGeometricStep(0, 0, 8));
  EXPECT_FALSE(PassesGeometricStep(100, 100, 8));
  EXPECT_FALSE(PassesGeometricStep(1'000'000, 1, 8));
  EXPECT_TRUE(PassesGeometricStep(-1, 1, 8)) << "-1 = nothing before";
}

}  // namespace
}  // namespace gorila
