// Acting is in an actor's hot path: it must not allocate.
#include <gtest/gtest.h>

#include <vector>

#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/agent/testing.h"
#include "gorila/base/allocation_counter.h"

namespace gorila {
namespace {

TEST(AgentAllocationTest, ActingAllocatesNothingAfterTheFirstTime) {
  constexpr int kActions = 5;
  constexpr std::size_t kEnvironments = 6;
  testing_agent::EchoNetwork network(kActions);
  EpsilonGreedyPolicy policy(network);
  RandomStream random(1);
  std::vector<ActingEnvironment> environments(kEnvironments, {.epsilon = 0, .random = &random});
  const std::vector<std::byte> observations(kEnvironments * kActions, std::byte{1});
  ActOutput output;
  policy.Act({.observations = observations, .environments = environments}, output);
  ResetAllocationCounts();
  for (int step = 0; step < 300; ++step) {
    // All explore in the first steps, so values come and go; then fewer environments act.
    for (ActingEnvironment& environment : environments) environment.epsilon = step < 100 ? 1 : 0.5;
    const std::size_t count = step < 200 ? kEnvironments : 1 + step % kEnvironments;
    policy.Act({.observations = std::span(observations).first(count * kActions),
                .environments = std::span(environments).first(count),
                .show_values = step % 3 == 0},
               output);
  }
  EXPECT_EQ(CountAllocations().allocations, 0U);
  EXPECT_GT(network.predictions, 200);
}

}  // namespace
}  // namespace gorila
