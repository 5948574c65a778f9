// A step of an actor allocates nothing once it has taken one: not its environments, policy, network
// or replay.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gorila/actor/actor.h"
#include "gorila/agent/algorithm.h"
#include "gorila/base/allocation_counter.h"
#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/replay/local_replay.h"

namespace gorila {
namespace {

class ActorAllocationTest : public testing::TestWithParam<std::string> {};

TEST_P(ActorAllocationTest, SteppingAllocatesNothing) {
  constexpr int kEnvironments = 3;
  std::vector<std::unique_ptr<Environment>> environments;
  for (std::uint64_t i = 0; i < kEnvironments; ++i) {
    environments.push_back(
        MakeEnvironment("classic/catch", {}, MakeRandomDraws(RandomStream(i))).value());
  }
  const EnvironmentSpec environment = environments.front()->spec();
  NetworkSpec spec{.input = environment.observation,
                   .convolutions = {},
                   .hidden = {16},
                   .num_actions = environment.num_actions()};
  const AgentOptions agent{.algorithm = GetParam(), .unroll = 20};
  const AlgorithmRow& algorithm = *FindAlgorithm(agent.algorithm).value();
  algorithm.describe(agent, spec);
  RandomStream random(5);
  auto network = MakeQNetwork("gemm", spec, kEnvironments).value();
  const auto store =
      InProcessParameterStore::Make({}, 1, InitialParameters(network->layout(), random)).value();
  NetworkReplica replica(std::move(network), *store, NetworkReplica::Follows::kOnline);
  LocalReplayOptions options{.capacity = 300, .rate = {.min_size = 100}};
  if (UsesUnrolls(agent)) {
    options.transition.unroll = agent.unroll;
    options.selector = {.name = "queue", .minibatch = 2};
  }
  const auto replay =
      LocalReplay::Make(options, environment.observation, kEnvironments, RandomStream(6)).value();
  const auto actor = Actor::Make({.exploration = {.epsilon_start = 0.5, .epsilon_end = 0.5}}, {},
                                 std::move(environments), replica,
                                 algorithm.make_policy(agent, replica.network(), ActBy::kSample),
                                 *replay, RandomStream(7))
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

INSTANTIATE_TEST_SUITE_P(Algorithms, ActorAllocationTest, testing::Values("double_dqn", "vtrace"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gorila
