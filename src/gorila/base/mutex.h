// std::mutex with clang's thread-safety annotations: `clang -Wthread-safety` proves at compile time
// that guarded fields are touched only under their lock, and TSan sees the real happens-before
// (which it does not through absl::Mutex of an uninstrumented library). Simulated threads
// (base/runtime.h) wait in their simulation.
#ifndef GORILA_BASE_MUTEX_H_
#define GORILA_BASE_MUTEX_H_

#include <condition_variable>
#include <mutex>
#include <utility>

#include "gorila/base/runtime.h"

#if defined(__clang__)
#define GORILA_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define GORILA_THREAD_ANNOTATION(x)
#endif

#define GORILA_CAPABILITY(x) GORILA_THREAD_ANNOTATION(capability(x))
#define GORILA_SCOPED_CAPABILITY GORILA_THREAD_ANNOTATION(scoped_lockable)
#define GORILA_GUARDED_BY(x) GORILA_THREAD_ANNOTATION(guarded_by(x))
#define GORILA_REQUIRES(...) GORILA_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define GORILA_EXCLUDES(...) GORILA_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define GORILA_ACQUIRE(...) GORILA_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define GORILA_RELEASE(...) GORILA_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define GORILA_TRY_ACQUIRE(...) GORILA_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))

namespace gorila {

class GORILA_CAPABILITY("mutex") Mutex {
 public:
  void Lock() GORILA_ACQUIRE() {
    if (simulated_runtime == nullptr) {
      mutex_.lock();
    } else {
      SimulateLock(*simulated_runtime);
    }
  }
  // Does not block; false when it is held, or by chance although it is not.
  bool TryLock() GORILA_TRY_ACQUIRE(true) {
    if (simulated_runtime == nullptr) return mutex_.try_lock();
    simulated_runtime->BeforeLock();
    return !std::exchange(simulated_, true);
  }
  void Unlock() GORILA_RELEASE() {
    if (simulated_runtime == nullptr) {
      mutex_.unlock();
    } else {
      SimulateUnlock(*simulated_runtime);
    }
  }

 private:
  friend class CondVar;
  void SimulateLock(SimulatedRuntime& runtime) {
    runtime.BeforeLock();
    while (simulated_) runtime.Block(this, SteadyTime::max());
    simulated_ = true;
  }
  void SimulateUnlock(SimulatedRuntime& runtime) {
    simulated_ = false;
    runtime.Wake(this, /*all=*/false);
  }

  std::mutex mutex_;
  bool simulated_ = false;  // held by a simulated thread
};

class GORILA_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) GORILA_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  // Of what TryLock() took.
  MutexLock(Mutex& mutex, std::adopt_lock_t) GORILA_REQUIRES(mutex) : mutex_(mutex) {}
  ~MutexLock() GORILA_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition variable for Mutex. Waits may wake spuriously: loop on the predicate (which the
// analysis can then see is read under the lock).
class CondVar {
 public:
  void Wait(Mutex& mutex) GORILA_REQUIRES(mutex) {
    if (simulated_runtime != nullptr) {
      SimulateWait(mutex, SteadyTime::max());
      return;
    }
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when `deadline` passed.
  bool WaitUntil(Mutex& mutex, SteadyTime deadline) GORILA_REQUIRES(mutex) {
    if (simulated_runtime != nullptr) return SimulateWait(mutex, deadline);
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  // For changes that let only one waiter proceed, whichever it is.
  void NotifyOne() {
    if (simulated_runtime != nullptr) return simulated_runtime->Wake(this, /*all=*/false);
    condition_.notify_one();
  }
  void NotifyAll() {
    if (simulated_runtime != nullptr) return simulated_runtime->Wake(this, /*all=*/true);
    condition_.notify_all();
  }

 private:
  bool SimulateWait(Mutex& mutex, SteadyTime deadline) {
    SimulatedRuntime& runtime = *simulated_runtime;
    mutex.SimulateUnlock(runtime);
    const bool in_time = runtime.Block(this, deadline);
    mutex.SimulateLock(runtime);
    return in_time;
  }

  std::condition_variable condition_;
};

}  // namespace gorila

#endif  // GORILA_BASE_MUTEX_H_
