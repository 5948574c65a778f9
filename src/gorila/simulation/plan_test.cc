#include "gorila/simulation/plan.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace gorila::simulation {
namespace {

TEST(PlanTest, IsTheSameAfterItsText) {
  const Plan plan = DrawPlan(7, {.shards = 3, .bundles = 5, .seconds = 100});
  ASSERT_FALSE(plan.faults.empty());
  const StatusOr<Plan> again = DecodePlan(EncodePlan(plan));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(EncodePlan(*again), EncodePlan(plan));
}

TEST(PlanTest, ASeedDrawsThePlanAgain) {
  EXPECT_EQ(EncodePlan(DrawPlan(7, {})), EncodePlan(DrawPlan(7, {})));
  EXPECT_NE(EncodePlan(DrawPlan(7, {})), EncodePlan(DrawPlan(8, {})));
}

TEST(PlanTest, HasOnlyTheKindsThatWereAskedFor) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const Fault& fault : DrawPlan(seed, {.kinds = {FaultKind::kCut}}).faults) {
      EXPECT_EQ(fault.kind, FaultKind::kCut);
    }
  }
}

TEST(PlanTest, FaultsHappenToMachinesThatTheyFit) {
  std::set<Role> killed, slowed;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Plan plan =
        DrawPlan(seed, {.shards = 2, .bundles = 3, .replays = 2, .actors = 1, .learners = 1});
    for (const Fault& fault : plan.faults) {
      const Role role = PlaceOf(plan, fault.machine).role;
      if (fault.kind == FaultKind::kReplace) {
        EXPECT_EQ(role, Role::kParameterServer);
      }
      if (fault.kind == FaultKind::kFolder) {
        EXPECT_EQ(role, Role::kReplay);
      }
      if (fault.kind == FaultKind::kPower) {
        EXPECT_TRUE(HasDisk(plan, fault.machine));
      }
      if (fault.kind == FaultKind::kSlow) slowed.insert(role);
      if (fault.kind == FaultKind::kKill) killed.insert(role);
    }
  }
  EXPECT_EQ(killed.size(), 5);
  EXPECT_EQ(slowed, (std::set<Role>{Role::kBundle, Role::kActor, Role::kLearner}));
}

TEST(PlanTest, MachinesAreNumberedRoleByRole) {
  const Plan plan{.shards = 2, .bundles = 3, .replays = 2, .actors = 1, .learners = 1};
  EXPECT_EQ(CountMachines(plan), 9);
  for (int machine = 0; machine < 9; ++machine) {
    EXPECT_EQ(MachineOf(plan, PlaceOf(plan, machine)), machine);
  }
  EXPECT_EQ(PlaceOf(plan, 4).role, Role::kBundle);
  EXPECT_EQ(PlaceOf(plan, 4).index, 2);
  EXPECT_EQ(PlaceOf(plan, 5).role, Role::kReplay);
  EXPECT_EQ(PlaceOf(plan, 8).role, Role::kLearner);
}

TEST(PlanTest, SaysWhatIsWrong) {
  const std::string text = EncodePlan(DrawPlan(7, {.replays = 1, .actors = 2, .learners = 3}));
  const auto with = [&text](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return std::string(DecodePlan(changed).status().message());
  };
  EXPECT_EQ(std::string(DecodePlan("{").status().message()), "not a plan of format version 1");
  EXPECT_EQ(with("\"shards\": 4", "\"shards\": 0"), "plan: shards is 0; expected 1 to 256");
  EXPECT_EQ(with("\"actors\": 2", "\"actors\": 0"), "plan: actors is 0; expected 1 to 100000");
  EXPECT_NE(with("\"model\": false", "\"model\": true").find("model is true with 1 replay shards"),
            std::string::npos);
  EXPECT_NE(with("\"bundles\": 20", "\"bundles\": \"x\"").find("plan: "), std::string::npos);
}

TEST(PlanTest, NamesTheNearestFault) {
  EXPECT_EQ(FindFault("cut").value(), FaultKind::kCut);
  EXPECT_NE(std::string(FindFault("kil").status().message()).find("did you mean 'kill'?"),
            std::string::npos);
}

}  // namespace
}  // namespace gorila::simulation
