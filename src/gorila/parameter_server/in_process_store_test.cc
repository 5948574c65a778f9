#include "gorila/parameter_server/in_process_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> RandomFloats(std::size_t size, RandomStream& random) {
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(2 * random.Uniform() - 1);
  return values;
}

ShardOptions Options(std::string_view optimizer = "sgd", double learning_rate = 1) {
  return {.max_staleness = 2,
          .target_period = 3,
          .optimizer = {.name = std::string(optimizer), .learning_rate = learning_rate}};
}

std::unique_ptr<InProcessParameterStore> Make(const ShardOptions& options, int shards,
                                              const std::vector<float>& values) {
  return InProcessParameterStore::Make(options, shards, values).value();
}

ShardVersions NeverPulled(const ParameterStore& store) {
  return ShardVersions(static_cast<std::size_t>(store.num_shards()), -1);
}

std::vector<float> PullAll(ParameterStore& store) {
  std::vector<float> values(store.size());
  ShardVersions versions = NeverPulled(store);
  EXPECT_TRUE(store.Pull(values, versions).value());
  return values;
}

std::vector<float> PullTargetAll(ParameterStore& store) {
  std::vector<float> values(store.size());
  ShardVersions versions = NeverPulled(store);
  EXPECT_TRUE(store.PullTarget(values, versions).value());
  return values;
}

TEST(InProcessParameterStoreTest, EqualsOneShardBitForBitWhateverTheNumberOfShards) {
  for (const OptimizerRow& row : OptimizerTable()) {
    for (const int shards : {2, 3, 7, 63}) {
      RandomStream random(7);
      const std::vector<float> initial = RandomFloats(1001, random);
      const auto whole = Make(Options(row.name, 0.01), 1, initial);
      const auto parts = Make(Options(row.name, 0.01), shards, initial);
      ShardVersions whole_versions = NeverPulled(*whole);
      ShardVersions parts_versions = NeverPulled(*parts);
      std::vector<float> replica(initial.size());
      for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(whole->Pull(replica, whole_versions).ok());
        ASSERT_TRUE(parts->Pull(replica, parts_versions).ok());
        const std::vector<float> gradient = RandomFloats(initial.size(), random);
        ASSERT_TRUE(whole->Push(gradient, whole_versions).ok());
        ASSERT_EQ(parts->Push(gradient, parts_versions)->accepted, shards);
      }
      EXPECT_EQ(PullAll(*parts), PullAll(*whole)) << row.name << " on " << shards;
      EXPECT_EQ(PullTargetAll(*parts), PullTargetAll(*whole)) << row.name << " on " << shards;
    }
  }
}

TEST(InProcessParameterStoreTest, PullSaysWhetherAnythingWasCopied) {
  const auto store = Make(Options(), 2, std::vector<float>(32, 1));
  std::vector<float> values(32);
  ShardVersions versions = NeverPulled(*store);
  EXPECT_TRUE(store->Pull(values, versions).value());
  EXPECT_EQ(values, std::vector<float>(32, 1));
  EXPECT_THAT(versions, ElementsAre(0, 0));
  EXPECT_FALSE(store->Pull(values, versions).value());
  ASSERT_TRUE(store->Push(std::vector<float>(32, 1), versions).ok());
  EXPECT_TRUE(store->Pull(values, versions).value());
  EXPECT_THAT(versions, ElementsAre(1, 1));
  EXPECT_EQ(values, std::vector<float>(32, 0));
}

TEST(InProcessParameterStoreTest, PullCopiesOnlyTheSlicesThatChanged) {
  const auto store = Make(Options(), 2, std::vector<float>(32, 1));
  std::vector<float> values(32);
  ShardVersions versions = NeverPulled(*store);
  ASSERT_TRUE(store->Pull(values, versions).ok());
  store->shard(1).Push(std::vector<float>(16, 1), 0);
  values.assign(32, 77);
  EXPECT_TRUE(store->Pull(values, versions).value());
  EXPECT_THAT(versions, ElementsAre(0, 1));
  EXPECT_EQ(values[0], 77) << "the slice of shard 0 was there already";
  EXPECT_EQ(values[16], 0);
}

TEST(InProcessParameterStoreTest, EachShardDecidesOnItsOwnSlice) {
  const auto store = Make(Options(), 3, std::vector<float>(48));
  std::vector<float> gradient(48, 1);
  const auto push = [&](const ShardVersions& versions) {
    return store->Push(gradient, versions).value();
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(push({i, i, i}).accepted, 3);
  gradient[20] = std::numeric_limits<float>::quiet_NaN();
  const PushOutcome outcome = push({3, 3, 0});
  EXPECT_EQ(outcome.accepted, 1);
  EXPECT_EQ(outcome.invalid, 1);
  EXPECT_EQ(outcome.stale, 1);
  EXPECT_EQ(store->shard(0).version(), 4);
  EXPECT_EQ(store->shard(1).version(), 3);
  EXPECT_EQ(store->shard(2).version(), 3);
  const std::vector<float> values = PullAll(*store);
  EXPECT_EQ(values[0], -4);
  EXPECT_EQ(values[16], -3);
  EXPECT_EQ(values[32], -3);
}

TEST(InProcessParameterStoreTest, TheUpdateClockIsShardZerosVersion) {
  const auto store = Make(Options(), 2, std::vector<float>(32));
  store->shard(1).Push(std::vector<float>(16, 1), 0);
  EXPECT_EQ(store->UpdateCount(), 0);
  store->shard(0).Push(std::vector<float>(16, 1), 0);
  EXPECT_EQ(store->UpdateCount(), 1);
}

TEST(InProcessParameterStoreTest, OutcomesAddUp) {
  PushOutcome sum{.accepted = 1, .stale = 2, .invalid = 3};
  sum += {.accepted = 10, .stale = 20, .invalid = 30};
  EXPECT_EQ(sum.accepted, 11);
  EXPECT_EQ(sum.stale, 22);
  EXPECT_EQ(sum.invalid, 33);
}

TEST(InProcessParameterStoreTest, RefusesVectorsOfAnotherLength) {
  const auto store = Make(Options(), 2, std::vector<float>(32));
  std::vector<float> values(32);
  std::vector<float> short_values(31);
  ShardVersions versions(2, -1);
  ShardVersions more_versions(3, -1);
  EXPECT_TRUE(absl::IsInvalidArgument(store->Pull(short_values, versions).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store->PullTarget(values, more_versions).status()));
  const Status status = store->Push(short_values, {0, 0}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("given 31 values and 2 versions"));
  EXPECT_EQ(store->UpdateCount(), 0);
  EXPECT_THAT(versions, ElementsAre(-1, -1));
}

TEST(InProcessParameterStoreTest, RefusesOptionsThatCannotWork) {
  const std::vector<float> values(32);
  EXPECT_TRUE(absl::IsInvalidArgument(
      InProcessParameterStore::Make(Options("newton"), 1, values).status()));
  const Status shards = InProcessParameterStore::Make(Options(), 3, values).status();
  EXPECT_THAT(std::string(shards.message()), HasSubstr("parameter_server.shards is 3"));
}

}  // namespace
}  // namespace gorila
