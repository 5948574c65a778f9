// Learners push from several threads while others pull.
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "gorila/parameter_server/in_process_store.h"

namespace gorila {
namespace {

constexpr std::size_t kSize = 20000;  // a copy takes long enough to be interrupted
constexpr int kShards = 4;
constexpr int kPushers = 3;
constexpr int kPushes = 300;
constexpr std::int64_t kTargetPeriod = 10;

class ParameterStoreThreadTest : public testing::Test {
 protected:
  // Plain descent with rate 1 from 0: with gradients of 1, version v is the value -v exactly.
  explicit ParameterStoreThreadTest(std::int64_t max_staleness = 1000000)
      : store_(InProcessParameterStore::Make({.max_staleness = max_staleness,
                                              .target_period = kTargetPeriod,
                                              .optimizer = {.name = "sgd", .learning_rate = 1}},
                                             kShards, std::vector<float>(kSize))
                   .value()) {}

  ShardVersions NeverPulled() const { return ShardVersions(kShards, -1); }

  // Every element of a slice must be of the version that came with it.
  void ExpectWholeSlices(const std::vector<float>& values, const ShardVersions& versions) const {
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      const Slice slice = store_->partition()[shard];
      for (std::size_t i = slice.begin; i < slice.end; ++i) {
        ASSERT_EQ(values[i], -static_cast<float>(versions[shard])) << "element " << i;
      }
    }
  }

  // Runs `push` in several threads and `look` in two others until the pushes have ended.
  template <typename Push, typename Look>
  void Run(const Push& push, const Look& look) {
    std::atomic<int> pushing = kPushers;
    std::vector<std::thread> threads;
    for (int i = 0; i < kPushers; ++i) {
      threads.emplace_back([&, i] {
        push(i);
        --pushing;
      });
    }
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        while (pushing > 0 && !HasFatalFailure()) look();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  const std::unique_ptr<InProcessParameterStore> store_;
};

TEST_F(ParameterStoreThreadTest, SlicesAreNeverTorn) {
  const auto push = [&](int) {
    const std::vector<float> ones(kSize, 1);
    for (int i = 0; i < kPushes; ++i) {
      ASSERT_EQ(store_->Push(ones, ShardVersions(kShards, 0))->accepted, kShards);
    }
  };
  const auto look = [&] {
    std::vector<float> values(kSize);
    ShardVersions versions = NeverPulled();
    ASSERT_TRUE(store_->Pull(values, versions).ok());
    ExpectWholeSlices(values, versions);
    versions = NeverPulled();
    ASSERT_TRUE(store_->PullTarget(values, versions).ok());
    ExpectWholeSlices(values, versions);
    for (const std::int64_t version : versions) ASSERT_EQ(version % kTargetPeriod, 0);
  };
  Run(push, look);
  EXPECT_EQ(store_->UpdateCount(), kPushers * kPushes);
  look();
}

class StrictParameterStoreThreadTest : public ParameterStoreThreadTest {
 protected:
  StrictParameterStoreThreadTest() : ParameterStoreThreadTest(/*max_staleness=*/1) {}
};

TEST_F(StrictParameterStoreThreadTest, EverySliceIsCountedOnce) {
  std::vector<PushOutcome> outcomes(kPushers);
  const auto push = [&](int pusher) {
    std::vector<float> values(kSize);
    ShardVersions versions = NeverPulled();
    std::vector<float> gradient(kSize, 1);
    for (int i = 0; i < kPushes; ++i) {
      // Only now and then, so that gradients of the others overtake this one.
      if (i % 3 == 0) {
        ASSERT_TRUE(store_->Pull(values, versions).ok());
      }
      gradient.back() = i % 7 == 0 ? std::numeric_limits<float>::quiet_NaN() : 1;
      outcomes[static_cast<std::size_t>(pusher)] += store_->Push(gradient, versions).value();
    }
  };
  const auto look = [&] {
    std::vector<float> values(kSize);
    ShardVersions versions = NeverPulled();
    ASSERT_TRUE(store_->Pull(values, versions).ok());
    ExpectWholeSlices(values, versions);
    for (int i = 0; i < kShards; ++i) {
      const ParameterShardCounters counters = store_->shard(i).counters();
      ASSERT_LE(counters.staleness_sum, counters.accepted) << "at most 1 each";
    }
  };
  Run(push, look);

  PushOutcome learners;
  for (const PushOutcome& outcome : outcomes) learners += outcome;
  PushOutcome shards;
  for (int i = 0; i < kShards; ++i) {
    const ParameterShardCounters counters = store_->shard(i).counters();
    EXPECT_EQ(counters.accepted, store_->shard(i).version());
    EXPECT_EQ(counters.accepted + counters.stale + counters.invalid, kPushers * kPushes);
    shards += {counters.accepted, counters.stale, counters.invalid};
  }
  EXPECT_EQ(shards.accepted, learners.accepted);
  EXPECT_EQ(shards.stale, learners.stale);
  EXPECT_EQ(shards.invalid, learners.invalid);
  EXPECT_GT(learners.accepted, 0);
  EXPECT_GT(learners.stale, 0);
  EXPECT_GT(learners.invalid, 0);
}

}  // namespace
}  // namespace gorila
