#include "gorila/rpc/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>

namespace gorila::rpc {
namespace {

TEST(WorkerPoolTest, DoesEverythingOnceBeforeItEnds) {
  std::atomic<int> sum{0};
  {
    WorkerPool pool(3);
    for (int i = 1; i <= 1000; ++i) pool.Post([&sum, i] { sum += i; });
  }
  EXPECT_EQ(sum, 500500);
}

TEST(WorkerPoolTest, OneThatBlocksDoesNotHoldUpTheOthers) {
  Mutex mutex;
  CondVar changed;
  bool released = false;
  bool other_ran = false;
  WorkerPool pool(2);
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
  WorkerPool pool(1);
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

}  // namespace
}  // namespace gorila::rpc
