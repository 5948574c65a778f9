#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "gorila/run/run_gate.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

// Later than any test may take.
Clock::time_point Never() { return Clock::now() + std::chrono::hours(1); }
Clock::time_point Past() { return Clock::now() - std::chrono::seconds(1); }

void WaitUntil(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::yield();
}

// Workers as a cluster has them. An iteration ends at once unless `iterate` says otherwise.
class Workers {
 public:
  using Iterate = std::function<Status(int worker)>;

  Workers(
      RunGate& gate, int count, Iterate iterate = [](int) { return OkStatus(); })
      : gate_(gate), iterate_(std::move(iterate)), iterations_(static_cast<std::size_t>(count)) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this, i] { Run(i); });
  }
  ~Workers() {
    gate_.Stop();
    for (std::thread& thread : threads_) thread.join();
  }

  std::vector<std::int64_t> iterations() const { return {iterations_.begin(), iterations_.end()}; }
  int inside() const { return inside_; }  // workers in an iteration

  // Blocks until every worker has begun another iteration.
  void WaitForAnotherIteration() {
    const std::vector<std::int64_t> before = iterations();
    for (std::size_t i = 0; i < before.size(); ++i) {
      WaitUntil([&] { return iterations_[i] > before[i]; });
    }
  }

 private:
  void Run(int worker) {
    Status status;
    while (status.ok() && gate_.Pass()) {
      ++inside_;
      ++iterations_[static_cast<std::size_t>(worker)];
      status = iterate_(worker);
      --inside_;
    }
    gate_.Leave(status);
  }

  RunGate& gate_;
  const Iterate iterate_;
  std::vector<std::atomic<std::int64_t>> iterations_;
  std::atomic<int> inside_ = 0;
  std::vector<std::thread> threads_;
};

TEST(RunGateThreadTest, PauseParksEveryWorkerUntilResume) {
  RunGate gate(3);
  Workers workers(gate, 3);
  workers.WaitForAnotherIteration();
  ASSERT_TRUE(gate.Pause(Never()).ok());
  const std::vector<std::int64_t> paused_at = workers.iterations();
  EXPECT_EQ(workers.inside(), 0);
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_EQ(workers.iterations(), paused_at);
  gate.Resume();
  workers.WaitForAnotherIteration();
}

TEST(RunGateThreadTest, APauseRightAfterAResumeHoldsToo) {
  RunGate gate(3);
  Workers workers(gate, 3);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(gate.Pause(Never()).ok());
    ASSERT_EQ(workers.inside(), 0) << i;
    gate.Resume();
  }
}

TEST(RunGateThreadTest, StopEndsRunningWorkers) {
  RunGate gate(2);
  Workers workers(gate, 2);
  workers.WaitForAnotherIteration();
  EXPECT_FALSE(gate.WaitForAll(Past()));
  gate.Stop();
  EXPECT_TRUE(gate.WaitForAll(Never()));
  EXPECT_TRUE(gate.failure().ok());
  EXPECT_FALSE(gate.Pass()) << "nobody starts another iteration";
}

TEST(RunGateThreadTest, StopWakesParkedWorkers) {
  RunGate gate(2);
  Workers workers(gate, 2);
  ASSERT_TRUE(gate.Pause(Never()).ok());
  const std::vector<std::int64_t> paused_at = workers.iterations();
  gate.Stop();
  EXPECT_TRUE(gate.WaitForAll(Never()));
  EXPECT_EQ(workers.iterations(), paused_at);
}

TEST(RunGateThreadTest, OneWorkersFailureStopsTheOthersAndReachesTheWaiter) {
  RunGate gate(3);
  const Status failure = absl::DataLossError("worker 1");
  std::atomic<int> count = 0;
  Workers workers(gate, 3,
                  [&](int worker) { return worker == 1 && ++count == 5 ? failure : OkStatus(); });
  EXPECT_TRUE(gate.WaitForAll(Never()));
  EXPECT_EQ(gate.failure(), failure);
}

TEST(RunGateThreadTest, TheFirstFailureIsKept) {
  RunGate gate(2);
  gate.Leave(absl::DataLossError("first"));
  gate.Leave(absl::UnavailableError("second"));
  EXPECT_EQ(gate.failure(), absl::DataLossError("first"));
  EXPECT_TRUE(gate.WaitForAll(Past()));
}

TEST(RunGateThreadTest, AFailureReachesWhoeverIsPausing) {
  RunGate gate(2);
  const Status failure = absl::DataLossError("worker 0");
  std::atomic<bool> pausing = false;
  Workers workers(gate, 2, [&](int worker) {
    if (worker == 1) return OkStatus();
    WaitUntil([&] { return pausing.load(); });
    return failure;
  });
  // Not another iteration: worker 0 has only one.
  WaitUntil([&] { return workers.iterations()[0] == 1 && workers.iterations()[1] > 0; });
  Status paused;
  std::thread coordinator([&] { paused = gate.Pause(Never()); });
  pausing = true;
  coordinator.join();
  EXPECT_EQ(paused, failure);
  EXPECT_TRUE(gate.WaitForAll(Never())) << "the other worker is not left parked";
}

TEST(RunGateThreadTest, APauseThatIsTooLatePausesNobody) {
  RunGate gate(2);
  std::atomic<bool> stuck = true;
  Workers workers(gate, 2, [&](int worker) {
    if (worker == 0) WaitUntil([&] { return !stuck; });
    return OkStatus();
  });
  WaitUntil([&] { return workers.iterations()[0] == 1; });
  EXPECT_EQ(gate.Pause(Clock::now()).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(gate.Pause(Past()).code(), absl::StatusCode::kDeadlineExceeded);
  const std::int64_t other = workers.iterations()[1];
  WaitUntil([&] { return workers.iterations()[1] > other; });
  stuck = false;
  workers.WaitForAnotherIteration();
  EXPECT_TRUE(gate.Pause(Never()).ok()) << "and a later one works";
}

TEST(RunGateThreadTest, WorkersThatHaveLeftNeedNotPark) {
  RunGate gate(2);
  gate.Leave(OkStatus());
  Workers workers(gate, 1);
  workers.WaitForAnotherIteration();
  EXPECT_TRUE(gate.Pause(Never()).ok());
  EXPECT_EQ(workers.inside(), 0);
  gate.Stop();
  EXPECT_TRUE(gate.WaitForAll(Never()));
  EXPECT_TRUE(gate.Pause(Past()).ok()) << "nobody is left";
}

}  // namespace
}  // namespace gorila
