#include "gorila/simulation/world.h"

#include <gtest/gtest.h>

#include <string>

#include "gorila/simulation/search.h"

namespace gorila::simulation {
namespace {

constexpr PlanOptions kSmall{.shards = 2, .bundles = 4, .seconds = 40};

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(WorldTest, WithoutFaultsEveryGradientIsDecidedOnOnce) {
  const Plan plan{.seed = 1, .shards = 3, .bundles = 5, .seconds = 20, .settling = 5};
  const StatusOr<WorldResult> result = RunWorld(plan);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Join(result->violations), "");
  // 55 virtual seconds of 5 bundles that take some 25 ms for a gradient of 3 slices.
  EXPECT_GT(result->counts.at("gradients accepted"), 20'000);
  EXPECT_EQ(result->counts.at("gradients repeated"), 0);
  EXPECT_EQ(result->counts.at("generations"), 3);
}

TEST(WorldTest, TheSamePlanTakesTheSameSteps) {
  const Plan plan = DrawPlan(3, kSmall);
  const StatusOr<WorldResult> first = RunWorld(plan);
  const StatusOr<WorldResult> again = RunWorld(plan);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->hash, again->hash);
  EXPECT_EQ(first->counts, again->counts);
  EXPECT_NE(RunWorld(DrawPlan(4, kSmall))->hash, first->hash);
}

TEST(WorldTest, InvariantsHoldWhateverFails) {
  SearchOptions options{.first_seed = 1, .last_seed = 8, .plan = kSmall};
  const StatusOr<SearchResult> found = Search(options);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->failed.has_value())
      << Join(found->failure.violations) << EncodePlan(*found->failed);
  EXPECT_EQ(found->seeds, 8);
  EXPECT_GT(found->counts.at("generations from a snapshot"), 0);
  EXPECT_GT(found->counts.at("gradients repeated"), 0);
}

TEST(WorldTest, AShardThatIsKilledComesBackWithItsSnapshot) {
  Plan plan{.seed = 1, .shards = 1, .bundles = 2, .seconds = 30, .settling = 5};
  plan.snapshot_seconds = 2;
  plan.faults = {{.at = 11, .kind = FaultKind::kKill, .machine = 0, .seconds = 3}};
  const StatusOr<WorldResult> result = RunWorld(plan);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(Join(result->violations), "");
  EXPECT_EQ(result->counts.at("generations from a snapshot"), 1);
  EXPECT_GT(result->counts.at("calls to nobody"), 0);
}

}  // namespace
}  // namespace gorila::simulation
