#include "gorila/cli/run_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace gorila::cli {
namespace {

using std::chrono::milliseconds;

std::chrono::steady_clock::time_point Now() { return std::chrono::steady_clock::now(); }

TEST(RunQueueTest, GivesEachRunOnceInOrder) {
  RunQueue queue({4, 7}, 1, milliseconds(0));
  EXPECT_EQ(queue.Take(), 4U);
  EXPECT_EQ(queue.Take(), 7U);
  EXPECT_EQ(queue.Take(), std::nullopt);
}

TEST(RunQueueTest, ABusyRunComesAgainAfterTheOthers) {
  RunQueue queue({1, 2}, 1, std::chrono::hours(1));
  EXPECT_EQ(queue.Take(), 1U);
  EXPECT_EQ(queue.running(), std::vector<std::size_t>{1});
  EXPECT_TRUE(queue.PutBack(1));
  EXPECT_EQ(queue.Take(), 2U);
  EXPECT_EQ(queue.running(), std::vector<std::size_t>{2});
  EXPECT_EQ(queue.Take(), 1U);
  EXPECT_EQ(queue.Take(), std::nullopt);
  queue.Report(2, {.kind = RunOutcome::Kind::kFinished, .why = {}});
  EXPECT_EQ(queue.running(), std::vector<std::size_t>{1});
}

TEST(RunQueueTest, PatienceWithABusyRunEnds) {
  RunQueue queue({1}, 1, milliseconds(-1));
  EXPECT_EQ(queue.Take(), 1U);
  EXPECT_FALSE(queue.PutBack(1));
}

TEST(RunQueueTest, AfterAStopThereIsNothingToTake) {
  RunQueue queue({1, 2}, 1, std::chrono::hours(1));
  EXPECT_EQ(queue.Take(), 1U);
  std::thread taker([&queue] {
    // Waits for the busy run until the stop comes.
    while (queue.Take().has_value()) EXPECT_TRUE(queue.PutBack(1));
    queue.EndThread();
  });
  queue.Stop();
  taker.join();
  EXPECT_TRUE(queue.ended());
}

TEST(RunQueueTest, ReportsArriveInOrderAndOnce) {
  RunQueue queue({1, 2}, 1, milliseconds(0));
  queue.Report(2, {.kind = RunOutcome::Kind::kFailed, .why = "ended with exit status 1"});
  queue.Report(1, {.kind = RunOutcome::Kind::kFinished, .why = {}});
  const auto reported = queue.TakeReported(Now());
  ASSERT_EQ(reported.size(), 2U);
  EXPECT_EQ(reported[0].run, 2U);
  EXPECT_EQ(reported[0].outcome.why, "ended with exit status 1");
  EXPECT_EQ(reported[1].run, 1U);
  EXPECT_TRUE(queue.TakeReported(Now()).empty());
  EXPECT_FALSE(queue.ended());
  queue.EndThread();
  EXPECT_TRUE(queue.TakeReported(Now() + std::chrono::hours(1)).empty());  // does not wait
}

}  // namespace
}  // namespace gorila::cli
