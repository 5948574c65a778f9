#include "gorila/launch/capacity_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gorila/base/json.h"
#include "gorila/base/testing.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CapacityRequest Cluster(int bundles, double nic_gbit) {
  return {.bundles = bundles, .nic_bits = nic_gbit * 1e9, .max_staleness = 1'000'000};
}

std::vector<int> ShardsOf(const CapacityPlan& plan) {
  std::vector<int> shards;
  for (const CapacityRow& row : plan.rows) shards.push_back(row.shards);
  return shards;
}

// As many bits as 100 bundles move in 25 ms, less 5 %, need 22 links of 10 Gbit/s that are full.
TEST(CapacityPlanTest, TheSmallestNumberOfShardsThatSufficesIsFound) {
  CapacityRequest request = Cluster(100, 10);
  request.figures.call_seconds = 0;
  const CapacityPlan plan = PlanCapacity(request, std::nullopt);
  EXPECT_GE(plan.shards, 22);
  EXPECT_LE(plan.shards, 26);
  EXPECT_EQ(plan.chosen().bound_by, "gradients");
  EXPECT_THAT(ShardsOf(plan), ElementsAre(plan.shards / 2, plan.shards, 2 * plan.shards));
  EXPECT_EQ(plan.rows.front().bound_by, "shard link");
  EXPECT_LT(plan.rows.front().result.share, 0.6);
  EXPECT_THAT(plan.warnings, IsEmpty());
  request.shards = plan.shards - 1;
  EXPECT_LT(ModelCapacity(request).share, 0.95);
}

TEST(CapacityPlanTest, WhatBindsIsNamed) {
  EXPECT_EQ(PlanCapacity(Cluster(200, 100), 8).chosen().bound_by, "update");
  EXPECT_EQ(PlanCapacity(Cluster(100, 10), 8).chosen().bound_by, "shard link");
  EXPECT_EQ(PlanCapacity(Cluster(2, 100), 60).chosen().bound_by, "calls");
  const CapacityPlan slow = PlanCapacity(Cluster(1, 1), std::nullopt);
  EXPECT_EQ(slow.chosen().bound_by, "bundle link");
  ASSERT_EQ(slow.warnings.size(), 1u);
  EXPECT_THAT(slow.warnings[0], HasSubstr("bound by the bundle link; more shards do not help"));
  // Both push at once, then both pull: a link is as busy at the bundles as at the shard that binds.
  CapacityRequest in_turns = Cluster(2, 0.05);
  in_turns.overlap = false;
  EXPECT_EQ(PlanCapacity(in_turns, 1).chosen().bound_by, "shard link");
}

TEST(CapacityPlanTest, ManyCallsAreWarnedAbout) {
  const CapacityPlan plan = PlanCapacity(Cluster(100, 100), 100);
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_THAT(plan.warnings[0], HasSubstr("calls to 100 shards take 2"));
}

TEST(CapacityPlanTest, MaxStalenessNeedsRoom) {
  EXPECT_EQ(StalenessWarning(400, true, 1000), std::nullopt);
  EXPECT_THAT(StalenessWarning(401, true, 1000).value(),
              HasSubstr("is 1000: gradients of 401 processes are about 802 updates old"));
  EXPECT_EQ(StalenessWarning(800, false, 1000), std::nullopt);
  EXPECT_THAT(StalenessWarning(801, false, 1000).value(), HasSubstr("expected 1001 or more"));
  EXPECT_EQ(StalenessWarning(1, true, 2), std::nullopt);
  EXPECT_NE(StalenessWarning(1, true, 1), std::nullopt);
  EXPECT_EQ(StalenessWarning(0, true, 0), std::nullopt);
  CapacityRequest request = Cluster(1000, 100);
  request.max_staleness = 1000;
  const CapacityPlan plan = PlanCapacity(request, 128);
  ASSERT_FALSE(plan.warnings.empty());
  EXPECT_THAT(plan.warnings.back(), HasSubstr("expected 2500 or more"));
  EXPECT_GT(plan.chosen().result.refused, 0.2);
}

// Full links make gradients older than two updates a bundle.
TEST(CapacityPlanTest, RefusedGradientsAreWarnedAboutWhateverTheirNumber) {
  CapacityRequest request = Cluster(300, 10);
  request.max_staleness = 1000;
  ASSERT_EQ(StalenessWarning(300, true, 1000), std::nullopt);
  const CapacityPlan plan = PlanCapacity(request, 16);
  EXPECT_GT(plan.chosen().result.refused, 0.02);
  EXPECT_GT(plan.max_staleness, 1000);
  ASSERT_FALSE(plan.warnings.empty());
  EXPECT_THAT(plan.warnings.back(),
              HasSubstr(fmt::format("expected {} or more", plan.max_staleness)));
  request.max_staleness = plan.max_staleness;
  const CapacityPlan roomy = PlanCapacity(request, 16);
  EXPECT_EQ(roomy.chosen().result.refused, 0);
  EXPECT_EQ(roomy.max_staleness, plan.max_staleness);
}

TEST(CapacityPlanTest, FiguresAreThoseOfTheBenchmark) {
  CapacityFigures defaults;
  defaults.parameter_bytes = 7e6;
  std::vector<MeasuredRate> rates = {{"learner/nature_dqn/1", 40},
                                     {"shard/rmsprop", 24.5},
                                     {"wire/tcp/plain/1", 2 * 4.0 * 1'693'362 / 1e9 / 10e-3},
                                     {"wire/tcp/plain/4", 2 * 4.0 * 1'693'362 / 1e9 / 10.6e-3}};
  const MeasuredFigures measured = FiguresOf(rates, "nature_dqn", defaults).value();
  EXPECT_DOUBLE_EQ(measured.figures.gradient_seconds, 0.025);
  EXPECT_NEAR(measured.figures.update_seconds, 2e-3, 1e-9);  // 7 bytes moved for each
  EXPECT_NEAR(measured.figures.call_seconds, 100e-6, 1e-9);
  EXPECT_EQ(measured.figures.parameter_bytes, 7e6);
  EXPECT_EQ(measured.note, "");
  rates[3].value = 2 * rates[2].value;  // noise
  const MeasuredFigures noisy = FiguresOf(rates, "nature_dqn", defaults).value();
  EXPECT_EQ(noisy.figures.call_seconds, defaults.call_seconds);
  EXPECT_THAT(noisy.note, HasSubstr("50 us"));
  rates.erase(rates.begin() + 1);
  EXPECT_THAT(std::string(FiguresOf(rates, "nature_dqn", defaults).status().message()),
              HasSubstr("measurement 'shard/rmsprop' is missing"));
}

TEST(CapacityPlanTest, TextAndJsonSayTheSame) {
  CapacityRequest request = Cluster(1000, 100);
  request.max_staleness = 1000;
  CapacityPlan plan{.shards = 2, .max_staleness = 2500};
  for (const int shards : {1, 2, 4}) {
    plan.rows.push_back({.shards = shards,
                         .result = {.updates_per_second = 1234.4, .share = 0.5, .refused = 0.125},
                         .bound_by = "update"});
  }
  plan.warnings = {"a warning"};
  const std::string text = CapacityText(request, plan, "measured here");
  EXPECT_THAT(text, HasSubstr("1000 bundles, links of 100 Gbit/s, 6.77 MB of parameters"));
  EXPECT_THAT(text,
              HasSubstr("25.00 ms a gradient, 2.00 ms an update, 50 us a call (measured here)"));
  EXPECT_THAT(text, HasSubstr("     2       1234   0.50 "));
  plan.rows[1].result.updates_per_second = 1.234;
  EXPECT_THAT(CapacityText(request, plan, ""), HasSubstr("     2       1.23   0.50 "));
  EXPECT_THAT(text, HasSubstr("12.5 %  update\n"));
  EXPECT_THAT(text, HasSubstr("settings: --shards 2 --set parameter_server.overlap=true --set "
                              "parameter_server.max_staleness=2500\n"));
  const auto json = ParseJsonOrThrow<nlohmann::json>(CapacityJson(request, plan, "defaults"));
  EXPECT_EQ(json["shards"], 2);
  EXPECT_EQ(json["rows"].size(), 3u);
  EXPECT_EQ(json["rows"][1]["refused"], 0.125);
  EXPECT_EQ(json["max_staleness_needed"], 2500);
  EXPECT_EQ(json["figures"]["source"], "defaults");
  EXPECT_EQ(json["warnings"][0], "a warning");
}

}  // namespace
}  // namespace gorila
