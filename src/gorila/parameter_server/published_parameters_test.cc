#include "gorila/parameter_server/published_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "gorila/parameter_server/in_process_store.h"

namespace gorila {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr std::size_t kSize = 20000;  // a copy takes long enough to be interrupted
constexpr int kShards = 3;
constexpr std::int64_t kTargetPeriod = 3;

// Plain descent with rate 1 from 0: with gradients of 1, version v is the value -v exactly.
std::unique_ptr<InProcessParameterStore> Make(std::int64_t publish_every) {
  return InProcessParameterStore::Make({.max_staleness = 1000000,
                                        .target_period = kTargetPeriod,
                                        .optimizer = {.name = "sgd", .learning_rate = 1}},
                                       kShards, std::vector<float>(kSize), publish_every)
      .value();
}

struct Borrowed {
  SharedParameters values;
  ShardVersions versions = ShardVersions(kShards, -1);
};

bool Borrow(ParameterStore& store, ParameterSet set, Borrowed& borrowed,
            Newness newness = Newness::kUsual) {
  return store.Borrow(set, newness, borrowed.values, borrowed.versions).value();
}

void Update(ParameterStore& store, int times = 1) {
  for (int i = 0; i < times; ++i) {
    ASSERT_TRUE(store.Push(std::vector<float>(kSize, 1), ShardVersions(kShards, 0)).ok());
  }
}

TEST(PublishedParametersTest, TargetCopiesAreLentOnlineOnesOnlyIfPublished) {
  EXPECT_TRUE(Make(1)->Lends(ParameterSet::kTarget));
  EXPECT_FALSE(Make(1)->Lends(ParameterSet::kOnline));
  EXPECT_TRUE(Make(2)->Lends(ParameterSet::kOnline));
}

TEST(PublishedParametersTest, AllBorrowOneTargetCopyUntilTheNext) {
  const auto store = Make(1);
  Borrowed a, b;
  EXPECT_TRUE(Borrow(*store, ParameterSet::kTarget, a));
  EXPECT_TRUE(Borrow(*store, ParameterSet::kTarget, b));
  EXPECT_EQ(a.values, b.values);
  EXPECT_THAT(a.versions, Each(0));
  Update(*store, kTargetPeriod - 1);
  EXPECT_FALSE(Borrow(*store, ParameterSet::kTarget, a));
  Update(*store);
  EXPECT_TRUE(Borrow(*store, ParameterSet::kTarget, a));
  EXPECT_NE(a.values, b.values);
  EXPECT_THAT(*a.values, Each(-3));
  EXPECT_THAT(a.versions, Each(3));
  EXPECT_THAT(*b.values, Each(0)) << "stays as it is while it is held";
}

TEST(PublishedParametersTest, ALoneReplicaNeedsOneCopy) {
  PublishedParameters published(2, 1);
  std::int64_t version = 0;
  const PublishedParameters::Rule rule{
      .is_new = [&](const ShardVersions& have) { return have[0] == version; },
      .pull =
          [&](std::span<float> values, ShardVersions& versions) {
            std::fill(values.begin(), values.end(), static_cast<float>(version));
            versions[0] = version;
          }};
  SharedParameters first, second;
  ShardVersions first_has = {-1}, second_has = {-1};
  for (; version < 4; ++version) {
    ASSERT_TRUE(published.Borrow(rule, first, first_has));
    EXPECT_THAT(*first, Each(static_cast<float>(version)));
    EXPECT_EQ(published.copies(), 1u);
  }
  version = 3;
  ASSERT_TRUE(published.Borrow(rule, second, second_has));
  EXPECT_EQ(second, first);
  ++version;
  ASSERT_TRUE(published.Borrow(rule, second, second_has));
  EXPECT_EQ(published.copies(), 2u);
  EXPECT_THAT(*first, Each(3));
  ++version;
  ASSERT_TRUE(published.Borrow(rule, first, first_has));
  ++version;
  first.reset();
  ASSERT_TRUE(published.Borrow(rule, second, second_has));
  EXPECT_EQ(published.copies(), 1u) << "what nobody reads is freed";
}

TEST(PublishedParametersTest, AnOnlineCopyIsReplacedWhenItLacksEnoughUpdates) {
  const auto store = Make(3);
  Borrowed a, b;
  EXPECT_TRUE(Borrow(*store, ParameterSet::kOnline, a));
  Update(*store, 2);
  EXPECT_FALSE(Borrow(*store, ParameterSet::kOnline, a)) << "two old";
  EXPECT_TRUE(Borrow(*store, ParameterSet::kOnline, b));
  EXPECT_EQ(a.values, b.values);
  Update(*store);
  EXPECT_TRUE(Borrow(*store, ParameterSet::kOnline, a));
  EXPECT_THAT(a.versions, Each(3));
  Update(*store);
  EXPECT_TRUE(Borrow(*store, ParameterSet::kOnline, b)) << "four old; the newest copy will do";
  EXPECT_EQ(a.values, b.values);
  EXPECT_TRUE(Borrow(*store, ParameterSet::kOnline, b, Newness::kNewest));
  EXPECT_THAT(b.versions, Each(4));
  EXPECT_THAT(*b.values, Each(-4));
  EXPECT_FALSE(Borrow(*store, ParameterSet::kOnline, b, Newness::kNewest));
}

TEST(PublishedParametersTest, RefusesVersionsOfAnotherNumberOfShards) {
  SharedParameters values;
  ShardVersions versions = {-1};
  EXPECT_TRUE(absl::IsInvalidArgument(
      Make(1)->Borrow(ParameterSet::kTarget, Newness::kUsual, values, versions).status()));
}

// Borrowers read in several threads while others push: no copy changes while it is held, and each
// slice has the version that is reported for it.
class PublishedParametersThreadTest : public testing::TestWithParam<std::int64_t> {};

TEST_P(PublishedParametersThreadTest, WhatIsHeldNeverChanges) {
  const auto store = Make(GetParam());
  std::atomic<bool> pushing{true};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&] {
      Borrowed online, target;
      while (pushing) {
        std::vector<std::pair<ParameterSet, Borrowed*>> sets = {{ParameterSet::kTarget, &target}};
        if (store->Lends(ParameterSet::kOnline)) sets.push_back({ParameterSet::kOnline, &online});
        for (const auto& [set, borrowed] : sets) {
          const ShardVersions before = borrowed->versions;
          Borrow(*store, set, *borrowed);
          for (std::size_t i = 0; i < kShards; ++i) {
            ASSERT_GE(borrowed->versions[i], before[i]);
            const Slice slice = store->partition()[i];
            const auto expected = -static_cast<float>(borrowed->versions[i]);
            for (std::size_t k = slice.begin; k < slice.end; ++k) {
              ASSERT_EQ((*borrowed->values)[k], expected) << i << " " << k;
            }
          }
        }
      }
    });
  }
  std::vector<std::thread> pushers;
  for (int pusher = 0; pusher < 2; ++pusher) pushers.emplace_back([&] { Update(*store, 300); });
  for (std::thread& thread : pushers) thread.join();
  pushing = false;
  for (std::thread& thread : threads) thread.join();
  Borrowed last;
  if (!store->Lends(ParameterSet::kOnline)) return;
  Borrow(*store, ParameterSet::kOnline, last, Newness::kNewest);
  EXPECT_THAT(last.versions, ElementsAre(600, 600, 600));
}

INSTANTIATE_TEST_SUITE_P(Every, PublishedParametersThreadTest, testing::Values(1, 2, 7));

}  // namespace
}  // namespace gorila
