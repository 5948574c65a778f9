#include "gorila/evaluation/evaluation_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <optional>
#include <utility>

#include "gorila/base/testing.h"

namespace gorila {
namespace {

using testing::ElementsAre;

constexpr auto kDeadline = std::chrono::seconds(60);

// Scores a network with its own frames, when it is told to and not before.
class FakeEvaluation {
 public:
  StatusOr<ScoredNetwork> Score(SharedNetwork network, const std::function<bool()>& cancelled) {
    const MutexLock lock(mutex_);
    begun_ = network->frames;
    changed_.NotifyAll();
    while (allowed_ == 0) {
      if (cancelled()) return absl::CancelledError("cancelled");
      // Whoever cancels does not know this condition.
      changed_.WaitUntil(mutex_, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
    }
    --allowed_;
    if (!failure_.ok()) return failure_;
    ScoredNetwork scored;
    scored.result.steps = network->frames;
    scored.network = std::move(network);
    return scored;
  }

  void Allow(int networks) {
    const MutexLock lock(mutex_);
    allowed_ += networks;
    changed_.NotifyAll();
  }

  void FailWith(Status failure) {
    const MutexLock lock(mutex_);
    failure_ = std::move(failure);
  }

  // Blocks until the network of `frames` is being scored.
  bool WaitUntilBegun(std::int64_t frames) {
    const MutexLock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (begun_ != frames) {
      if (!changed_.WaitUntil(mutex_, deadline)) return false;
    }
    return true;
  }

  EvaluationThread::Work work() {
    return [this](SharedNetwork network, const std::function<bool()>& cancelled) {
      return Score(std::move(network), cancelled);
    };
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int allowed_ GORILA_GUARDED_BY(mutex_) = 0;
  std::int64_t begun_ GORILA_GUARDED_BY(mutex_) = -1;
  Status failure_ GORILA_GUARDED_BY(mutex_);
};

SharedNetwork At(std::int64_t frames) {
  return std::make_shared<const NetworkInTraining>(NetworkInTraining{frames, 0, {}});
}

std::vector<std::int64_t> Frames(const std::vector<SharedNetwork>& networks) {
  std::vector<std::int64_t> frames;
  for (const SharedNetwork& network : networks) frames.push_back(network->frames);
  return frames;
}

std::vector<std::int64_t> Frames(const std::vector<ScoredNetwork>& scored) {
  std::vector<std::int64_t> frames;
  for (const ScoredNetwork& network : scored) frames.push_back(network.network->frames);
  return frames;
}

bool WaitUntilDone(EvaluationThread& thread) {
  return thread.WaitUntilDone(std::chrono::steady_clock::now() + kDeadline);
}

TEST(EvaluationThreadTest, TheCallerIsFreeWhileANetworkIsScored) {
  FakeEvaluation fake;
  EvaluationThread thread(fake.work());
  thread.Offer(At(100));
  ASSERT_TRUE(fake.WaitUntilBegun(100));
  EXPECT_TRUE(thread.Take().value().empty());
  EXPECT_FALSE(thread.WaitUntilDone(std::chrono::steady_clock::now()));
  fake.Allow(1);
  ASSERT_TRUE(WaitUntilDone(thread));
  EXPECT_THAT(Frames(thread.Take().value()), ElementsAre(100));
  EXPECT_TRUE(thread.Take().value().empty());
}

TEST(EvaluationThreadTest, WhatComesDueMeanwhileWaitsAndIsScoredInOrder) {
  FakeEvaluation fake;
  EvaluationThread thread(fake.work());
  thread.Offer(At(100));
  EXPECT_FALSE(thread.Full());
  thread.Offer(At(200));
  EXPECT_TRUE(thread.Full());
  fake.Allow(1);
  ASSERT_TRUE(fake.WaitUntilBegun(200));
  EXPECT_FALSE(thread.Full());
  fake.Allow(1);
  ASSERT_TRUE(WaitUntilDone(thread));
  EXPECT_THAT(Frames(thread.Take().value()), ElementsAre(100, 200));
}

TEST(EvaluationThreadTest, ANetworkIsUntakenUntilItsScoreIsTaken) {
  FakeEvaluation fake;
  EvaluationThread thread(fake.work());
  thread.Offer(At(100));
  thread.Offer(At(200));
  fake.Allow(1);
  ASSERT_TRUE(fake.WaitUntilBegun(200));
  EXPECT_THAT(Frames(thread.Untaken()), ElementsAre(100, 200));
  EXPECT_THAT(Frames(thread.Take().value()), ElementsAre(100));
  EXPECT_THAT(Frames(thread.Untaken()), ElementsAre(200));
}

TEST(EvaluationThreadTest, EndsWithoutWaitingForAnEvaluation) {
  FakeEvaluation fake;
  std::optional<EvaluationThread> thread(std::in_place, fake.work());
  thread->Offer(At(100));
  ASSERT_TRUE(fake.WaitUntilBegun(100));
  thread.reset();
}

TEST(EvaluationThreadTest, AFailureReachesTheCallerAndTheNetworkIsKept) {
  FakeEvaluation fake;
  EvaluationThread thread(fake.work());
  fake.FailWith(InvalidArgument("no such file of start points"));
  thread.Offer(At(100));
  fake.Allow(1);
  ASSERT_TRUE(WaitUntilDone(thread));
  EXPECT_EQ(thread.Take().status(), InvalidArgument("no such file of start points"));
  EXPECT_THAT(Frames(thread.Untaken()), ElementsAre(100));
}

TEST(EvaluationThreadTest, LackOfMemoryWhileScoringIsAFailure) {
  EvaluationThread thread(
      [](SharedNetwork, const std::function<bool()>&) -> StatusOr<ScoredNetwork> {
        throw std::bad_alloc();
      });
  thread.Offer(At(100));
  ASSERT_TRUE(WaitUntilDone(thread));
  EXPECT_EQ(thread.Take().status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(EvaluationThreadTest, WithoutAThreadEverythingOfferedFails) {
  const NoThreads none;
  FakeEvaluation fake;
  EvaluationThread thread(fake.work());
  thread.Offer(At(100));
  ASSERT_TRUE(WaitUntilDone(thread));
  EXPECT_EQ(thread.Take().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Frames(thread.Untaken()), ElementsAre(100));
}

}  // namespace
}  // namespace gorila
