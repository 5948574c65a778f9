#include "gorila/network/split/split_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "gorila/network/network_samples.h"
#include "gorila/network/split/split_network.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

NetworkSpec Mlp(std::vector<int> hidden) {
  return {.input = {.channels = 7, .element = ElementType::kFloat32},
          .convolutions = {},
          .hidden = std::move(hidden),
          .num_actions = 3};
}

std::vector<Case> NoisyAndNot() {
  std::vector<Case> networks = Cases();
  for (Case network : Cases()) {
    network.name += "Noisy";
    network.spec.noise = 0.5;
    networks.push_back(std::move(network));
  }
  return networks;
}

TEST(SplitPlanTest, EveryParameterBelongsToOneMember) {
  int plans = 0;
  for (const Case& network : NoisyAndNot()) {
    for (int members = 1; members <= 5; ++members) {
      const auto plan = MakeSplitPlan(network.spec, members);
      if (!plan.ok()) continue;
      ++plans;
      std::vector<int> owners(MakeParameterLayout(network.spec).size);
      for (int m = 0; m < members; ++m) {
        std::vector<int> local(LocalSize(*plan, m));
        const auto mark = [&](std::size_t flat, std::size_t place, std::size_t count) {
          ASSERT_LE(flat + count, owners.size());
          ASSERT_LE(place + count, local.size());
          for (std::size_t i = 0; i < count; ++i) {
            ++owners[flat + i];
            ++local[place + i];
          }
        };
        ForEachRun(PiecesOf(*plan, m), 0, owners.size(), mark);
        const bool gaps = std::count(local.begin(), local.end(), 1) != std::ssize(local);
        EXPECT_EQ(gaps, m > 0) << network.name << ": only others leave out biases";
        EXPECT_LE(*std::max_element(local.begin(), local.end()), 1) << network.name;
      }
      EXPECT_EQ(std::count(owners.begin(), owners.end(), 1), std::ssize(owners))
          << network.name << " " << members;
    }
  }
  EXPECT_GT(plans, 50);
}

TEST(SplitPlanTest, LayersGoInPairsAndTheRestIsTheLeaders) {
  const SplitPlan two = MakeSplitPlan(Mlp({64, 32}), 2).value();
  ASSERT_THAT(two.stages, SizeIs(2));
  EXPECT_TRUE(two.stages[0].is_split());
  EXPECT_THAT(two.stages[0].units, ElementsAre(0, 32, 64));
  EXPECT_FALSE(two.stages[1].is_split());
  EXPECT_EQ(two.stages[1].outputs(), 3u);
  const SplitPlan narrow_first = MakeSplitPlan(Mlp({8, 100}), 3).value();
  ASSERT_THAT(narrow_first.stages, SizeIs(2));
  EXPECT_FALSE(narrow_first.stages[0].is_split());
  EXPECT_THAT(narrow_first.stages[1].units, ElementsAre(0, 32, 64, 100));
  EXPECT_THAT(MakeSplitPlan(Mlp({64, 64, 64}), 4)->stages, SizeIs(2));
}

TEST(SplitPlanTest, RunsAreCutAtTheBoundsOfASlice) {
  const Pieces pieces = {{.begin = 10, .width = 4, .rows = 3, .stride = 10, .local = 2}};
  std::vector<std::array<std::size_t, 3>> runs;
  ForEachRun(pieces, 12, 31, [&](std::size_t flat, std::size_t local, std::size_t count) {
    runs.push_back({flat, local, count});
  });
  EXPECT_THAT(runs,
              ElementsAre(ElementsAre(12, 4, 2), ElementsAre(20, 6, 4), ElementsAre(30, 10, 1)));
  EXPECT_EQ(SizeWithin(pieces, 12, 31), 7u);
  EXPECT_EQ(SizeOf(pieces), 12u);
}

TEST(SplitPlanTest, WhatCannotBeDividedIsRefusedWithWhatCan) {
  const auto message = [](const NetworkSpec& spec, int members) {
    const Status status = PlanSplitNetwork(spec, members).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(message(Mlp({64}), 5), HasSubstr("learner.members is 5: the widest hidden layer has "
                                               "64 units, and a member takes 16"));
  EXPECT_THAT(message(Mlp({64}), 5), HasSubstr("expected at most 4"));
  EXPECT_THAT(message(Mlp({}), 2), HasSubstr("expected at most 1"));
  EXPECT_THAT(message(Mlp({64}), 0), HasSubstr("learner.members is 0"));
  EXPECT_TRUE(PlanSplitNetwork(Mlp({64}), 4).ok());
}

TEST(SplitPlanTest, TheShareIsWhatTheFactsSayOfTheNatureNetwork) {
  NetworkSpec nature = *MakeNetworkSpec("nature_dqn", Atari());
  nature.num_actions = 18;
  EXPECT_NEAR(SplitShare(nature, MakeSplitPlan(nature, 2).value()), 103.4 / 598.5, 0.002);
}

}  // namespace
}  // namespace gorila
