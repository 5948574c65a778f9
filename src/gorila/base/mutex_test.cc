#include "gorila/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>

namespace gorila {
namespace {

bool TryInAnotherThread(Mutex& mutex) {
  bool locked = false;
  std::thread([&] {
    if (!mutex.TryLock()) return;
    mutex.Unlock();
    locked = true;
  }).join();
  return locked;
}

TEST(MutexTest, TryLockDoesNotWaitForAnotherThread) {
  Mutex mutex;
  {
    const MutexLock lock(mutex);
    EXPECT_FALSE(TryInAnotherThread(mutex));
  }
  EXPECT_TRUE(TryInAnotherThread(mutex));
}

TEST(MutexTest, AnAdoptedLockIsReleased) {
  Mutex mutex;
  if (!mutex.TryLock()) FAIL() << "nobody holds it";
  {
    const MutexLock lock(mutex, std::adopt_lock);
    EXPECT_FALSE(TryInAnotherThread(mutex));
  }
  EXPECT_TRUE(TryInAnotherThread(mutex));
}

}  // namespace
}  // namespace gorila
