#include "gorila/agent/atom_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

// Around the number of values that are computed side by side.
constexpr std::size_t kSizes[] = {1, 2, 15, 16, 17, 51, 64, 200};

std::vector<float> Values(std::size_t size, double range) {
  RandomStream random(size);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(range * (2 * random.Uniform() - 1));
  return values;
}

TEST(AtomMathTest, ExponentialsAreThoseOfTheLibraryToTheLastBitsOfAFloat) {
  for (const double range : {0.5, 20.0, 43.0}) {
    for (const std::size_t size : kSizes) {
      const std::vector<float> in = Values(size, range);
      const float most = Largest(in.data(), size);
      EXPECT_EQ(most, *std::max_element(in.begin(), in.end()));
      std::vector<float> out(size);
      const float sum = Exponentials(in.data(), most, size, out.data());
      double expected_sum = 0;
      for (std::size_t i = 0; i < size; ++i) {
        const double expected = std::exp(static_cast<double>(in[i] - most));
        EXPECT_NEAR(out[i], expected, 3e-7 * expected);
        expected_sum += expected;
      }
      EXPECT_NEAR(sum, expected_sum, 1e-6 * expected_sum);
    }
  }
}

TEST(AtomMathTest, FarBelowTheLargestNothingIsLeftAndNothingUnderflows) {
  const std::vector<float> in = {0, -86, -1000, -std::numeric_limits<float>::infinity()};
  std::vector<float> out(in.size());
  Exponentials(in.data(), 0, in.size(), out.data());
  EXPECT_EQ(out[0], 1);
  for (std::size_t i = 1; i < in.size(); ++i) {
    EXPECT_GT(out[i], 0);
    EXPECT_LT(out[i], 1e-36F);
  }
}

TEST(AtomMathTest, WhatIsNotANumberStaysSo) {
  const float in = std::numeric_limits<float>::quiet_NaN();
  float out = 0;
  EXPECT_TRUE(std::isnan(Exponentials(&in, 0, 1, &out)));
  EXPECT_TRUE(std::isnan(MeanIndex(&in, 1)));
}

TEST(AtomMathTest, MeansAreThoseOfTheDefinition) {
  for (const std::size_t size : kSizes) {
    const std::vector<float> x = Values(size, 5);
    double sum = 0;
    double weights = 0;
    double weighted = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double weight = std::exp(static_cast<double>(x[i]));
      sum += static_cast<double>(x[i]);
      weights += weight;
      weighted += weight * static_cast<double>(i);
    }
    const auto count = static_cast<double>(size);
    EXPECT_NEAR(MeanOf(x.data(), size), sum / count, 1e-5);
    EXPECT_NEAR(MeanIndex(x.data(), size), weighted / weights, 1e-6 * count);
  }
}

TEST(AtomMathTest, QuantileLossIsThatOfTheDefinition) {
  for (const std::size_t size : kSizes) {
    const std::vector<float> targets = Values(size, 3);
    const float theta = 0.25F;
    const float tau = 0.3F;
    double loss = 0;
    double slope = 0;
    for (const float target : targets) {
      const double u = static_cast<double>(target) - 0.25;
      const double share = u < 0 ? 0.7 : 0.3;
      loss += share * (std::abs(u) <= 1 ? u * u / 2 : std::abs(u) - 0.5);
      slope -= share * std::clamp(u, -1.0, 1.0);
    }
    const QuantileLoss at = QuantileHuberLoss(theta, tau, targets.data(), size);
    EXPECT_NEAR(at.loss, loss / static_cast<double>(size), 1e-6);
    EXPECT_NEAR(at.slope, slope / static_cast<double>(size), 1e-6);
  }
}

}  // namespace
}  // namespace gorila
