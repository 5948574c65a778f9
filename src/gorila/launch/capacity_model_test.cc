#include "gorila/launch/capacity_model.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

struct Case {
  int bundles;
  double nic_gbit;
  int shards;
  double gradient_seconds;
  double share;  // an independent model's, to two digits
};

CapacityRequest RequestOf(int bundles, double nic_gbit, int shards) {
  CapacityRequest request{
      .bundles = bundles, .shards = shards, .nic_bits = nic_gbit * 1e9, .max_staleness = 1'000'000};
  request.figures.call_seconds = 0;
  return request;
}

// The Nature network: links bind at 10 and 25 Gbit/s, updates at 100, neither in the other rows.
TEST(CapacityModelTest, SharesAreThoseOfAnIndependentModel) {
  constexpr Case kCases[] = {
      {100, 10, 8, 0.025, 0.35},    {100, 10, 16, 0.025, 0.70},  {100, 10, 31, 0.025, 1.00},
      {100, 25, 8, 0.025, 0.88},    {100, 25, 16, 0.025, 1.00},  {100, 100, 8, 0.025, 0.96},
      {100, 100, 16, 0.025, 1.00},  {1000, 25, 64, 0.025, 0.61}, {1000, 100, 64, 0.025, 0.61},
      {1000, 25, 128, 0.025, 0.99}, {1000, 25, 31, 0.100, 1.00}};
  for (const Case& one : kCases) {
    CapacityRequest request = RequestOf(one.bundles, one.nic_gbit, one.shards);
    request.figures.gradient_seconds = one.gradient_seconds;
    EXPECT_NEAR(ModelCapacity(request).share, one.share, 0.02)
        << one.bundles << " bundles, " << one.nic_gbit << " Gbit/s, " << one.shards << " shards";
  }
}

TEST(CapacityModelTest, ABundleAndAShardAreAsTheyWereMeasured) {
  CapacityRequest request = RequestOf(1, 2, 1);
  const CapacityResult overlapped = ModelCapacity(request);
  EXPECT_NEAR(overlapped.updates_per_second, 18.6, 0.15 * 18.6);  // docs/performance.md
  EXPECT_NEAR(overlapped.staleness_mean, 2, 0.05);
  request.overlap = false;
  const CapacityResult in_turns = ModelCapacity(request);
  EXPECT_NEAR(in_turns.updates_per_second, 11.3, 0.15 * 11.3);
  EXPECT_EQ(in_turns.staleness_mean, 0);
}

TEST(CapacityModelTest, GradientsAreAsOldAsTwiceTheBundlesWithOverlap) {
  for (const int bundles : {20, 200}) {
    CapacityRequest request = RequestOf(bundles, 100, 64);
    EXPECT_NEAR(ModelCapacity(request).staleness_mean / bundles, 2, 0.1);
    request.overlap = false;
    EXPECT_NEAR(ModelCapacity(request).staleness_mean / bundles, 1, 0.1);
  }
}

TEST(CapacityModelTest, OldGradientsAreRefusedAndAdvanceNothing) {
  const auto refused = [](int bundles) {
    CapacityRequest request = RequestOf(bundles, 100, 128);
    request.max_staleness = 1000;
    return ModelCapacity(request).refused;
  };
  EXPECT_LT(refused(400), 0.01);
  EXPECT_NEAR(refused(500), 0.08, 0.05);
  EXPECT_NEAR(refused(600), 0.20, 0.04);
  EXPECT_NEAR(refused(1000), 0.49, 0.03);
}

TEST(CapacityModelTest, CallsTakeABundlesTime) {
  CapacityRequest request = RequestOf(10, 100, 50);
  request.figures.call_seconds = 50e-6;  // 100 calls an update
  const CapacityResult result = ModelCapacity(request);
  EXPECT_NEAR(result.share, 25.0 / 30, 0.02);
  EXPECT_NEAR(result.call_share, 5.0 / 30, 0.01);
}

TEST(CapacityModelTest, OneSeedGivesOneResult) {
  CapacityRequest request = RequestOf(30, 10, 7);
  const double rate = ModelCapacity(request).updates_per_second;
  EXPECT_EQ(ModelCapacity(request).updates_per_second, rate);
  request.seed = 2;
  EXPECT_NE(ModelCapacity(request).updates_per_second, rate);
}

}  // namespace
}  // namespace gorila
