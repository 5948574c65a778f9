#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "gorila/base/testing.h"
#include "gorila/replay/prefetching_replay.h"

namespace gorila {
namespace {

using ::testing::Each;

// Numbers its minibatches in r_t; they wait for as many calls of Allow().
class SlowReplay final : public Replay {
 public:
  Status Insert(int, const ReplayRow&) override { return OkStatus(); }
  bool CanSample() const override { return true; }
  Status Sample(int size, TransitionBatch& batch) override {
    const MutexLock lock(mutex_);
    ++begun_;
    changed_.NotifyAll();
    while (allowed_ == 0 && !ending) {
      // Nobody tells of `ending`.
      changed_.WaitUntil(mutex_, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
    }
    if (ending) return absl::CancelledError("ending");
    --allowed_;
    GORILA_RETURN_IF_ERROR(failure_);
    batch.Resize(size, 4);
    std::fill(batch.r_t.begin(), batch.r_t.end(), static_cast<float>(++sampled_));
    batch.shard = static_cast<std::size_t>(sampled_);
    return OkStatus();
  }
  Status UpdatePriorities(const TransitionBatch& sampled, std::span<const float>) override {
    told.push_back(static_cast<int>(sampled.shard));
    return OkStatus();
  }
  ReplaySize Size() const override { return {.transitions = 5}; }

  void Allow(int samples) {
    const MutexLock lock(mutex_);
    allowed_ += samples;
    changed_.NotifyAll();
  }
  void Fail(Status failure) {
    const MutexLock lock(mutex_);
    failure_ = std::move(failure);
  }
  void WaitForBegun(int samples) {
    const MutexLock lock(mutex_);
    while (begun_ < samples) changed_.Wait(mutex_);
  }

  std::atomic<bool> ending{false};
  std::vector<int> told;  // numbers of the minibatches

 private:
  Mutex mutex_;
  CondVar changed_;
  int begun_ GORILA_GUARDED_BY(mutex_) = 0;
  int allowed_ GORILA_GUARDED_BY(mutex_) = 0;
  int sampled_ GORILA_GUARDED_BY(mutex_) = 0;
  Status failure_ GORILA_GUARDED_BY(mutex_);
};

class PrefetchingReplayTest : public testing::Test {
 protected:
  // The number of the minibatch that comes.
  int Sample(int size = 3) {
    EXPECT_EQ(replay_->Sample(size, batch_), OkStatus());
    EXPECT_EQ(batch_.size, size);
    EXPECT_THAT(batch_.r_t, Each(batch_.r_t.front()));
    return static_cast<int>(batch_.r_t.front());
  }

  SlowReplay far_;
  std::pmr::unsynchronized_pool_resource memory_;
  std::optional<PrefetchingReplay> replay_{std::in_place, far_, PrefetchOptions(), far_.ending};
  TransitionBatch batch_;
};

TEST_F(PrefetchingReplayTest, TheNextMinibatchIsSampledWhileTheCallerComputes) {
  far_.Allow(1);
  EXPECT_EQ(Sample(), 1);
  far_.WaitForBegun(2);  // would hang if it waited for the next call
  EXPECT_THAT(batch_.r_t, Each(1));
  far_.Allow(1);
  EXPECT_EQ(Sample(), 2);
}

TEST_F(PrefetchingReplayTest, EveryMinibatchComesOnceAndInOrder) {
  far_.Allow(1000);
  for (int i = 1; i <= 500; ++i) ASSERT_EQ(Sample(), i);
  EXPECT_EQ(replay_->Size().transitions, 5);
}

TEST_F(PrefetchingReplayTest, SeveralAreSampledAtOnceAndNoneIsLost) {
  replay_.reset();
  far_.ending = false;
  replay_.emplace(far_, PrefetchOptions{.minibatches = 3}, far_.ending);
  far_.Allow(1);
  std::vector<bool> seen(501);
  seen[static_cast<std::size_t>(Sample())] = true;
  far_.WaitForBegun(4);  // three are under way, though none may end
  far_.Allow(1000);
  for (int i = 1; i < 500; ++i) {
    const auto number = static_cast<std::size_t>(Sample());
    ASSERT_LT(number, seen.size() + 3);
    if (number < seen.size()) seen[number] = true;
  }
  // The last few may be under way still.
  EXPECT_GE(std::count(seen.begin(), seen.end(), true), 497);
}

TEST_F(PrefetchingReplayTest, AnotherSizeIsSampledAnew) {
  far_.Allow(1000);
  EXPECT_EQ(Sample(3), 1);
  EXPECT_EQ(Sample(5), 3);
  EXPECT_EQ(Sample(5), 4);
}

TEST_F(PrefetchingReplayTest, PrioritiesAreToldOfTheMinibatchThatTheyBelongTo) {
  far_.Allow(10);
  Sample();
  const TransitionBatch first = batch_;
  Sample();
  EXPECT_EQ(replay_->UpdatePriorities(batch_, {}), OkStatus());
  EXPECT_EQ(replay_->UpdatePriorities(first, {}), OkStatus());
  EXPECT_THAT(far_.told, testing::ElementsAre(2, 1));
}

TEST_F(PrefetchingReplayTest, AnErrorIsTheNextCallsAndTheOneAfterTriesAgain) {
  far_.Allow(1);
  Sample();
  far_.WaitForBegun(2);
  far_.Fail(Unavailable("the far side is gone"));
  far_.Allow(1);
  EXPECT_EQ(replay_->Sample(3, batch_).code(), absl::StatusCode::kUnavailable);
  far_.Fail(OkStatus());
  far_.Allow(1);
  EXPECT_EQ(Sample(), 2);
}

TEST_F(PrefetchingReplayTest, MinibatchesInOtherMemoryAreCopied) {
  far_.Allow(100);
  TransitionBatch elsewhere(&memory_);
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(replay_->Sample(2, elsewhere), OkStatus());
    EXPECT_THAT(elsewhere.r_t, Each(i));
    EXPECT_EQ(elsewhere.s_tm1.size(), 8);
    EXPECT_EQ(elsewhere.s_tm1.get_allocator().resource(), &memory_);
  }
}

TEST_F(PrefetchingReplayTest, EndsWhileASampleWaits) {
  far_.Allow(1);
  Sample();
  far_.WaitForBegun(2);
  replay_.reset();
  EXPECT_TRUE(far_.ending);
}

TEST(PrefetchingReplayThreadsTest, WithoutThemEverySampleFails) {
  const NoThreads none;
  SlowReplay slow;
  PrefetchingReplay replay(slow, {.minibatches = 2}, slow.ending);
  TransitionBatch batch;
  EXPECT_EQ(replay.Sample(3, batch).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace gorila
