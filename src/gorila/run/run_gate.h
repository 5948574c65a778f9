// Where worker threads meet their coordinator: between two iterations they can be paused (for a
// checkpoint) or stopped, and the first failure reaches the coordinator.
#ifndef GORILA_RUN_RUN_GATE_H_
#define GORILA_RUN_RUN_GATE_H_

#include <chrono>

#include "gorila/base/mutex.h"
#include "gorila/base/status.h"

namespace gorila {

// Thread-safe. Workers call Pass before every iteration and Leave once at their end; the
// coordinator calls the rest.
class RunGate {
 public:
  using Clock = std::chrono::steady_clock;
  using TimePoint = Clock::time_point;

  explicit RunGate(int workers) : running_(workers) {}

  // Blocks while paused. False when the worker must end.
  bool Pass() GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!paused_ || stopping_) return !stopping_;
    ++parked_;
    changed_.NotifyAll();
    while (paused_ && !stopping_) changed_.Wait(mutex_);
    --parked_;
    return !stopping_;
  }

  // The worker has ended; a failure stops all others.
  void Leave(const Status& status) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    --running_;
    if (!status.ok()) {
      if (failure_.ok()) failure_ = status;
      stopping_ = true;
    }
    changed_.NotifyAll();
  }

  // Blocks until every running worker is parked. DeadlineExceeded when one is not in time, or a
  // worker's failure; then nothing stays paused. Waits in pieces, of which one that took longer
  // counts once: a process that was stopped (SIGSTOP) continues where it was.
  Status Pause(TimePoint deadline) GORILA_EXCLUDES(mutex_) {
    const auto patience = deadline - Clock::now();
    const auto piece = patience / kPieces;
    const MutexLock lock(mutex_);
    paused_ = true;
    for (int waited = 0; parked_ < running_ && failure_.ok();) {
      if (changed_.WaitUntil(mutex_, Clock::now() + piece)) continue;
      if (++waited < kPieces || parked_ >= running_ || !failure_.ok()) continue;
      paused_ = false;
      changed_.NotifyAll();
      return absl::DeadlineExceededError(
          fmt::format("{} of {} bundles did not reach the end of an iteration in time",
                      running_ - parked_, running_));
    }
    return failure_;
  }

  void Resume() GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    paused_ = false;
    changed_.NotifyAll();
  }

  void Stop() GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }

  // Blocks until every worker has left, or `deadline`. True when all have left.
  bool WaitForAll(TimePoint deadline) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (running_ > 0) {
      if (!changed_.WaitUntil(mutex_, deadline)) return running_ == 0;
    }
    return true;
  }

  // The first worker's failure, or OK.
  Status failure() const GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return failure_;
  }

 private:
  static constexpr int kPieces = 60;

  mutable Mutex mutex_;
  CondVar changed_;
  int running_ GORILA_GUARDED_BY(mutex_);
  int parked_ GORILA_GUARDED_BY(mutex_) = 0;
  bool paused_ GORILA_GUARDED_BY(mutex_) = false;
  bool stopping_ GORILA_GUARDED_BY(mutex_) = false;
  Status failure_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_RUN_RUN_GATE_H_
