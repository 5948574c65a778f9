#include "gorila/simulation/world.h"

#include <gtest/gtest.h>

#include <string>

#include "gorila/simulation/search.h"

namespace gorila::simulation {
namespace {

const PlanOptions kModel{.shards = 2, .bundles = 4, .model = true, .seconds = 20};
const PlanOptions kReal{
    .shards = 2, .bundles = 2, .replays = 2, .actors = 2, .learners = 2, .seconds = 20};

const PlanOptions kCoordinated{.shards = 2,
                               .bundles = 2,
                               .replays = 2,
                               .actors = 2,
                               .learners = 2,
                               .coordinator = true,
                               .seconds = 20};

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
  EXPECT_EQ(result->counts.at("sums of staleness compared"), 3);
}

TEST(WorldTest, RealProcessesLearnAndEnd) {
  const Plan plan{.seed = 1,
                  .shards = 2,
                  .bundles = 2,
                  .replays = 2,
                  .actors = 2,
                  .learners = 2,
                  .model = false,
                  .seconds = 20,
                  .settling = 5};
  const StatusOr<WorldResult> result = RunWorld(plan);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Join(result->violations), "");
  EXPECT_GT(result->counts.at("gradients accepted"), 2'000);
  EXPECT_GT(result->counts.at("rows accepted"), 1'000);
  EXPECT_GT(result->counts.at("minibatches of replay shards"), 200);
  EXPECT_EQ(result->counts.at("rows lost, as actors say"), 0);
  EXPECT_EQ(result->counts.at("sums of staleness compared"), 2);
  EXPECT_EQ(result->counts.at("processes started again"), 0);
}

TEST(WorldTest, ACoordinatorEndsTheRun) {
  Plan plan{.seed = 1, .shards = 2, .bundles = 3, .seconds = 20, .settling = 5};
  plan.frames = 5'000;
  const StatusOr<WorldResult> result = RunWorld(plan);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Join(result->violations), "");
  EXPECT_EQ(result->counts.at("runs that the coordinator finished"), 1);
  EXPECT_GT(result->counts.at("periodic evaluations"), 3);
  // The best one, the final one and milestones.
  EXPECT_GT(result->counts.at("networks in files at the end"), 4);
  EXPECT_EQ(result->counts.at("processes started again"), 0);
}

TEST(WorldTest, ACoordinatorGoesOnWhereItsMachineLostPower) {
  Plan plan{.seed = 1, .shards = 2, .bundles = 3, .seconds = 20, .settling = 20};
  plan.frames = 20'000;
  for (const double at : {5.0, 9.0, 13.0}) {
    plan.faults.push_back({.at = at, .kind = FaultKind::kPower, .machine = 5, .seconds = 1});
  }
  const StatusOr<WorldResult> result = RunWorld(plan);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Join(result->violations), "");
  EXPECT_EQ(result->counts.at("runs that the coordinator finished"), 1);
}

TEST(WorldTest, ARunThatIsStoppedIsNotFinished) {
  Plan plan{.seed = 1, .shards = 2, .bundles = 3, .seconds = 5, .settling = 5};
  plan.frames = std::int64_t{1} << 40;
  const StatusOr<WorldResult> result = RunWorld(plan);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Join(result->violations), "");
  EXPECT_EQ(result->counts.at("runs that were stopped"), 1);
  EXPECT_EQ(result->counts.at("runs that the coordinator finished"), 0);
}

TEST(WorldTest, TheSamePlanTakesTheSameSteps) {
  for (const PlanOptions& options : {kModel, kReal, kCoordinated}) {
    const Plan plan = DrawPlan(3, options);
    const StatusOr<WorldResult> first = RunWorld(plan);
    const StatusOr<WorldResult> again = RunWorld(plan);
    ASSERT_TRUE(first.ok() && again.ok());
    EXPECT_EQ(first->hash, again->hash);
    EXPECT_EQ(first->counts, again->counts);
    EXPECT_NE(RunWorld(DrawPlan(4, options))->hash, first->hash);
  }
}

TEST(WorldTest, InvariantsHoldWhateverFails) {
  for (const PlanOptions& options : {kModel, kReal, kCoordinated}) {
    const StatusOr<SearchResult> found = Search({.first_seed = 1, .last_seed = 6, .plan = options});
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_FALSE(found->failed.has_value())
        << Join(found->failure.violations) << EncodePlan(*found->failed);
    EXPECT_EQ(found->seeds, 6);
    EXPECT_GT(found->counts.at("generations from a snapshot"), 0);
    EXPECT_GT(found->counts.at("gradients repeated"), 0);
  }
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
