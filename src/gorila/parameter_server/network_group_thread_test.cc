// Groups and single learners at once, for ThreadSanitizer.
#include <gtest/gtest.h>

#include <thread>

#include "gorila/network/network_samples.h"
#include "gorila/parameter_server/in_process_pieces.h"
#include "gorila/parameter_server/network_group.h"
#include "gorila/parameter_server/network_replica.h"

namespace gorila {
namespace {

TEST(NetworkGroupThreadTest, EveryGradientIsDecidedOnOnceByEachShard) {
  constexpr int kUpdates = 40;
  constexpr int kGroups = 3;
  constexpr int kBatch = 4;
  const NetworkSpec spec{.input = {.channels = 5, .element = ElementType::kFloat32},
                         .convolutions = {},
                         .hidden = {48},
                         .num_actions = 3};
  RandomStream random(3);
  const auto store =
      InProcessParameterStore::Make({.optimizer = {.name = "adam", .learning_rate = 1e-3}}, 2,
                                    InitialParameters(MakeParameterLayout(spec), random))
          .value();
  InProcessPieceStore pieces(*store);
  const auto learn = [&](int index) {
    const auto group = NetworkGroup::OfThreads({.members = 1 + index,
                                                .max_batch = kBatch,
                                                .client = static_cast<std::uint64_t>(index)},
                                               spec, *store, pieces)
                           .value();
    NetworkReplica online(group->MakeNetwork(false).value(), group->store(),
                          NetworkReplica::Follows::kOnline);
    Sample sample(spec, kBatch, static_cast<std::uint64_t>(index));
    std::vector<float> gradient(online.network().layout().size);
    for (int i = 0; i < kUpdates; ++i) {
      ASSERT_TRUE(online.Refresh().ok());
      online.network().Forward(sample.observations, kBatch, sample.q);
      online.network().Backward(sample.dq, gradient);
      ASSERT_EQ(group->store().Push(gradient, online.versions())->accepted, 2);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kGroups; ++i) threads.emplace_back(learn, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store->shard(0).version(), kGroups * kUpdates);
  EXPECT_EQ(store->shard(1).version(), kGroups * kUpdates);
}

}  // namespace
}  // namespace gorila
