#include "gorila/rpc/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>

#include "gorila/base/testing.h"

namespace gorila::rpc {
namespace {

TEST(WorkerPoolTest, DoesEverythingOnceBeforeItEnds) {
  std::atomic<int> sum{0};
  {
    WorkerPool pool;
    ASSERT_TRUE(pool.Start(3).ok());
    for (int i = 1; i <= 1000; ++i) pool.Post([&sum, i] { sum += i; });
  }
  EXPECT_EQ(sum, 500500);
}

TEST(WorkerPoolTest, OneThatBlocksDoesNotHoldUpTheOthers) {
  Mutex mutex;
  CondVar changed;
  bool released = false;
  bool other_ran = false;
  WorkerPool pool;
  ASSERT_TRUE(pool.Start(2).ok());
  pool.Post([&] {
    const MutexLock lock(mutex);
    while (!released) changed.Wait(mutex);
  });
  pool.Post([&] {
    const MutexLock lock(mutex);
    other_ran = true;
    changed.NotifyAll();
  });
  const MutexLock lock(mutex);
  while (!other_ran) changed.Wait(mutex);
  released = true;
  changed.NotifyAll();
}

TEST(WorkerPoolTest, WorkMayPostMore) {
  std::atomic<int> done{0};
  Mutex mutex;
  CondVar changed;
  WorkerPool pool;
  ASSERT_TRUE(pool.Start(1).ok());
  pool.Post([&] {
    ++done;
    pool.Post([&] {
      const MutexLock lock(mutex);
      ++done;
      changed.NotifyAll();
    });
  });
  const MutexLock lock(mutex);
  while (done < 2) changed.Wait(mutex);
}

TEST(WorkerPoolTest, WithoutThreadsItDoesNotStart) {
  const NoThreads none;
  WorkerPool pool;
  EXPECT_EQ(pool.Start(2).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace gorila::rpc
