// A step of an actor allocates nothing once it has taken one: not its environments, policy, network
// or replay.
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "gorila/actor/actor.h"
#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/base/allocation_counter.h"
#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/replay/local_replay.h"

namespace gorila {
namespace {

TEST(ActorAllocationTest, SteppingAllocatesNothing) {
  constexpr int kEnvironments = 3;
  std::vector<std::unique_ptr<Environment>> environments;
  for (std::uint64_t i = 0; i < kEnvironments; ++i) {
    environments.push_back(
        MakeEnvironment("classic/catch", {}, MakeRandomDraws(RandomStream(i))).value());
  }
  const EnvironmentSpec environment = environments.front()->spec();
  const NetworkSpec spec{.input = environment.observation,
                         .convolutions = {},
                         .hidden = {16},
                         .num_actions = environment.num_actions()};
  RandomStream random(5);
  auto network = MakeQNetwork("gemm", spec, kEnvironments).value();
  const auto store =
      InProcessParameterStore::Make({}, 1, InitialParameters(network->layout(), random)).value();
  NetworkReplica replica(std::move(network), *store, NetworkReplica::Follows::kOnline);
  const auto replay = LocalReplay::Make({.capacity = 300, .rate = {.min_size = 100}},
                                        environment.observation, kEnvironments, RandomStream(6))
                          .value();
  const auto actor = Actor::Make({.exploration = {.epsilon_start = 0.5, .epsilon_end = 0.5}}, {},
                                 std::move(environments), replica,
                                 std::make_unique<EpsilonGreedyPolicy>(replica.network()), *replay,
                                 RandomStream(7))
                         .value();
  std::vector<EpisodeResult> finished;
  finished.reserve(kEnvironments);
  bool ok = true;
  std::size_t episodes = 0;
  const auto step = [&](int times) {
    for (int i = 0; i < times; ++i) {
      finished.clear();
      ok = actor->Step(0, finished).ok() && ok;
      episodes += finished.size();
    }
  };
  step(200);  // until replay is full
  ResetAllocationCounts();
  step(500);
  EXPECT_EQ(CountAllocations().allocations, 0U);
  EXPECT_TRUE(ok);
  EXPECT_GT(episodes, 3U * 60U);
}

}  // namespace
}  // namespace gorila
