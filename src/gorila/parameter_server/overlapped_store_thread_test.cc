#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <limits>
#include <optional>

#include "gorila/base/mutex.h"
#include "gorila/base/testing.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/parameter_server/overlapped_store.h"

namespace gorila {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr std::size_t kSize = 5000;
constexpr int kShards = 2;

// With gradients of 1 from 0, version v is the value -v exactly.
std::unique_ptr<InProcessParameterStore> MakeShards() {
  return InProcessParameterStore::Make(
             {.target_period = 10, .optimizer = {.name = "sgd", .learning_rate = 1}}, kShards,
             std::vector<float>(kSize))
      .value();
}

// A store that is far away: its pushes wait for Open(), and can be made to fail; its pulls wait for
// OpenForPulls().
class FarStore final : public ParameterStore, public ExchangeStore {
 public:
  std::size_t size() const override { return kSize; }
  int num_shards() const override { return kShards; }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override {
    {
      const MutexLock lock(mutex_);
      ++pulls_;
      while (!open_for_pulls_) changed_.Wait(mutex_);
    }
    return shards_->Pull(values, versions);
  }
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    return shards_->PullTarget(values, versions);
  }
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override {
    {
      const MutexLock lock(mutex_);
      while (!open_) changed_.Wait(mutex_);
      GORILA_RETURN_IF_ERROR(failure_);
    }
    return shards_->Push(gradient, versions);
  }
  StatusOr<ExchangeOutcome> Exchange(std::span<const float> gradient,
                                     const ShardVersions& computed_from, std::span<float> values,
                                     ShardVersions& versions) override {
    ExchangeOutcome outcome;
    GORILA_ASSIGN_OR_RETURN(outcome.slices, Push(gradient, computed_from));
    GORILA_ASSIGN_OR_RETURN(outcome.changed, shards_->Pull(values, versions));
    return outcome;
  }
  std::int64_t UpdateCount() const override { return shards_->UpdateCount(); }

  void Open(bool open = true) {
    const MutexLock lock(mutex_);
    open_ = open;
    changed_.NotifyAll();
  }
  void OpenForPulls(bool open) {
    const MutexLock lock(mutex_);
    open_for_pulls_ = open;
    changed_.NotifyAll();
  }
  void Fail(Status failure) {
    const MutexLock lock(mutex_);
    failure_ = std::move(failure);
  }
  InProcessParameterStore& shards() { return *shards_; }
  int pulls() const {
    const MutexLock lock(mutex_);
    return pulls_;
  }

 private:
  const std::unique_ptr<InProcessParameterStore> shards_ = MakeShards();
  mutable Mutex mutex_;
  CondVar changed_;
  int pulls_ GORILA_GUARDED_BY(mutex_) = 0;
  bool open_ GORILA_GUARDED_BY(mutex_) = true;
  bool open_for_pulls_ GORILA_GUARDED_BY(mutex_) = true;
  Status failure_ GORILA_GUARDED_BY(mutex_);
};

class OverlappedStoreTest : public testing::Test {
 protected:
  bool Pull() {
    const StatusOr<bool> changed = store_->Pull(values_, versions_);
    EXPECT_TRUE(changed.ok()) << changed.status();
    return changed.value_or(false);
  }
  StatusOr<PushOutcome> Push() { return store_->Push(std::vector<float>(kSize, 1), versions_); }
  // Gradients, each from the newest parameters there are, none of which is lost. Counters of shard
  // 0.
  ParameterShardCounters PullAndPush(int times) {
    PushOutcome total;
    for (int i = 0; i < times; ++i) {
      Pull();
      total += Push().value();
    }
    total += store_->Settle().value();
    EXPECT_EQ(total.accepted, times * kShards);
    const ParameterShardCounters counters = far_.shards().shard(0).counters();
    EXPECT_EQ(counters.accepted, times);
    return counters;
  }

  FarStore far_;
  std::optional<OverlappedParameterStore> store_{far_};
  std::vector<float> values_ = std::vector<float>(kSize, 77);
  ShardVersions versions_ = ShardVersions(kShards, -1);
};

TEST_F(OverlappedStoreTest, TheFirstPullWaitsForParameters) {
  EXPECT_TRUE(Pull());
  EXPECT_THAT(values_, Each(0));
  EXPECT_THAT(versions_, Each(0));
}

TEST_F(OverlappedStoreTest, ComputingGoesOnWhileAGradientIsUnderWay) {
  Pull();
  far_.Open(false);
  ASSERT_TRUE(Push().ok());
  const double blocked = store_->seconds_blocked();
  EXPECT_FALSE(Pull());  // would hang if it waited for the push
  EXPECT_EQ(store_->seconds_blocked(), blocked);
  EXPECT_EQ(far_.UpdateCount(), 0);
  far_.Open();
  EXPECT_EQ(store_->Settle()->accepted, kShards);
  EXPECT_EQ(far_.UpdateCount(), 1);
}

TEST_F(OverlappedStoreTest, OnlyOneGradientIsUnderWay) {
  Pull();
  far_.Open(false);
  ASSERT_TRUE(Push().ok());
  std::future<StatusOr<PushOutcome>> second =
      std::async(std::launch::async, [&] { return Push(); });
  far_.Open();
  EXPECT_EQ(second.get()->accepted, kShards) << "the first one's outcome";
  EXPECT_GE(far_.UpdateCount(), 1);
}

TEST_F(OverlappedStoreTest, AGradientIsUnderWayAtTheSameTimeAsParameters) {
  Pull();
  far_.OpenForPulls(false);
  ASSERT_TRUE(Push().ok());
  EXPECT_EQ(store_->Settle()->accepted, kShards);
  ASSERT_TRUE(Push().ok());
  EXPECT_EQ(store_->Settle()->accepted, kShards) << "while the pull after the first waits";
  EXPECT_EQ(far_.UpdateCount(), 2);
  ASSERT_TRUE(Push().ok());
  std::future<StatusOr<PushOutcome>> third =
      std::async(std::launch::async, [&] { return store_->Settle(); });
  EXPECT_EQ(far_.UpdateCount(), 2) << "the parameters would lack too many";
  far_.OpenForPulls(true);
  EXPECT_EQ(third.get()->accepted, kShards);
}

TEST_F(OverlappedStoreTest, LendsTheBufferThatIsNotUnderWay) {
  Pull();
  far_.Open(false);
  const std::span<float> first = store_->LendGradient();
  ASSERT_EQ(first.size(), kSize);
  EXPECT_EQ(store_->LendGradient().data(), first.data()) << "until it is pushed";
  std::fill(first.begin(), first.end(), 1.0F);
  ASSERT_TRUE(store_->Push(first, versions_).ok());
  const std::span<float> second = store_->LendGradient();
  EXPECT_NE(second.data(), first.data());
  std::fill(second.begin(), second.end(), 3.0F);  // while the first is under way
  far_.Open();
  ASSERT_TRUE(store_->Push(second, versions_).ok());
  EXPECT_EQ(store_->LendGradient().data(), first.data());
  // Memory that was not lent is copied into what is.
  ASSERT_TRUE(store_->Push(std::vector<float>(kSize, 5), versions_).ok());
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_THAT(far_.shards().shard(0).Snapshot().values, Each(-9));
}

TEST_F(OverlappedStoreTest, LendsParametersWhereTheyArrived) {
  ASSERT_TRUE(store_->Lends(ParameterSet::kOnline));
  EXPECT_FALSE(store_->Lends(ParameterSet::kTarget));
  const auto borrow = [&](SharedParameters& values, ShardVersions& versions) {
    return store_->Borrow(ParameterSet::kOnline, Newness::kUsual, values, versions).value();
  };
  SharedParameters first, second;
  ShardVersions of_first(kShards, -1), of_second(kShards, -1);
  EXPECT_TRUE(borrow(first, of_first));
  EXPECT_TRUE(borrow(second, of_second));
  EXPECT_EQ(first, second);
  EXPECT_FALSE(borrow(second, of_second));
  for (int update = 1; update <= 5; ++update) {
    // One slice of two, so that the other is not sent again.
    std::vector<float> gradient(kSize, 1);
    if (update > 1) gradient.back() = std::numeric_limits<float>::quiet_NaN();
    ASSERT_TRUE(far_.shards().Push(gradient, {0, 0}).ok());
    while (of_second[0] != update) borrow(second, of_second);
    const std::span<const Slice> slices = far_.shards().partition();
    for (std::size_t i = 0; i < kShards; ++i) {
      const auto slice = std::span(*second).subspan(slices[i].begin, slices[i].size());
      EXPECT_THAT(slice, Each(-static_cast<float>(i == 0 ? update : 1))) << update << " " << i;
    }
    EXPECT_THAT(*first, Each(0)) << "stays as it is while it is held";
  }
}

TEST_F(OverlappedStoreTest, WhatOthersPushedComesWithoutWaitingForIt) {
  Pull();
  ASSERT_TRUE(far_.shards().Push(std::vector<float>(kSize, 1), {0, 0}).ok());
  while (versions_ != ShardVersions(kShards, 1)) {
    Pull();
    ASSERT_THAT(values_, Each(-static_cast<float>(versions_[0])));
  }
  EXPECT_THAT(values_, Each(-1));
}

TEST_F(OverlappedStoreTest, AGradientLacksAtMostThreeBeforeItAndNoneIsLost) {
  constexpr int kPushes = 500;
  const ParameterShardCounters counters = PullAndPush(kPushes);
  EXPECT_EQ(counters.staleness[0] + counters.staleness[1] + counters.staleness[2], kPushes);
  EXPECT_LE(counters.staleness_sum, 3 * kPushes);
  std::vector<float> values(kSize);
  ShardVersions versions(kShards, -1);
  ASSERT_TRUE(far_.Pull(values, versions).ok());
  EXPECT_THAT(values, Each(-static_cast<float>(kPushes)));
}

TEST_F(OverlappedStoreTest, PullsNoMoreOftenThanItsCallerNeedsThem) {
  constexpr int kEvery = 4;
  constexpr int kPushes = 40;
  store_.emplace(far_, kEvery);
  for (int i = 0; i < kPushes; ++i) {
    if (i % kEvery == 0) Pull();
    EXPECT_LE(i - versions_[0], 2 * kEvery + 2) << "staleness stays bounded";
    ASSERT_TRUE(Push().ok());
  }
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(far_.UpdateCount(), kPushes);
  EXPECT_LE(far_.pulls(), kPushes / kEvery + 2);
  // A caller that keeps asking without pushing gets the newest.
  while (versions_ != ShardVersions(kShards, kPushes)) Pull();
}

TEST_F(OverlappedStoreTest, AnExchangedGradientLacksAtMostTheOneBeforeIt) {
  constexpr int kPushes = 500;
  store_.emplace(far_, /*pull_every=*/1, &far_);
  const ParameterShardCounters counters = PullAndPush(kPushes);
  EXPECT_LE(counters.staleness_sum, kPushes);
  EXPECT_EQ(far_.pulls(), 1) << "the others come with gradients";
  Pull();
  EXPECT_THAT(values_, Each(-static_cast<float>(kPushes)));
}

TEST_F(OverlappedStoreTest, ExchangesNoMoreOftenThanItsCallerNeedsParameters) {
  constexpr int kEvery = 4;
  store_.emplace(far_, kEvery, &far_);
  Pull();
  for (int i = 1; i <= 3 * kEvery; ++i) {
    ASSERT_TRUE(Push().ok());
    ASSERT_TRUE(store_->Settle().ok());
    if (i % kEvery != 0) continue;
    ShardVersions versions(kShards, -1);
    SharedParameters values;
    ASSERT_TRUE(store_->Borrow(ParameterSet::kOnline, Newness::kUsual, values, versions).value());
    EXPECT_THAT(versions, Each(i));
  }
  EXPECT_EQ(far_.pulls(), 1);
}

TEST_F(OverlappedStoreTest, WhoPushesNoMoreStillGetsWhatOthersPushed) {
  store_.emplace(far_, /*pull_every=*/1, &far_);
  Pull();
  ASSERT_TRUE(Push().ok());
  ASSERT_TRUE(store_->Settle().ok());
  ASSERT_TRUE(far_.shards().Push(std::vector<float>(kSize, 1), {0, 0}).ok());
  while (versions_ != ShardVersions(kShards, 2)) Pull();
  EXPECT_THAT(values_, Each(-2));
}

TEST_F(OverlappedStoreTest, AFailedExchangeIsGivenToEveryLaterCall) {
  store_.emplace(far_, /*pull_every=*/1, &far_);
  Pull();
  far_.Fail(Unavailable("the far side is gone"));
  ASSERT_TRUE(Push().ok());
  const StatusOr<PushOutcome> settled = store_->Settle();
  EXPECT_EQ(settled.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store_->Pull(values_, versions_).status(), settled.status());
}

TEST_F(OverlappedStoreTest, AGradientUnderWayIsAppliedBeforeTheStoreEnds) {
  Pull();
  ASSERT_TRUE(Push().ok());
  store_.reset();
  EXPECT_EQ(far_.UpdateCount(), 1);
}

TEST_F(OverlappedStoreTest, AnErrorIsGivenToEveryLaterCall) {
  Pull();
  far_.Fail(Unavailable("the far side is gone"));
  ASSERT_TRUE(Push().ok());
  const StatusOr<PushOutcome> settled = store_->Settle();
  EXPECT_EQ(settled.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(settled.status().message()), HasSubstr("far side"));
  EXPECT_EQ(Push().status(), settled.status());
  EXPECT_EQ(store_->Pull(values_, versions_).status(), settled.status());
}

TEST_F(OverlappedStoreTest, RefusesVectorsOfAnotherSize) {
  std::vector<float> values(kSize - 1);
  const StatusOr<bool> pulled = store_->Pull(values, versions_);
  EXPECT_THAT(std::string(pulled.status().message()), HasSubstr("4999 values and 2 versions"));
  EXPECT_FALSE(store_->Push(values, versions_).ok());
}

TEST_F(OverlappedStoreTest, WithoutAThreadEveryCallFails) {
  const NoThreads none;
  OverlappedParameterStore store(far_);
  const StatusOr<bool> pulled = store.Pull(values_, versions_);
  EXPECT_EQ(pulled.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store.Push(values_, versions_).status(), pulled.status());
}

}  // namespace
}  // namespace gorila
