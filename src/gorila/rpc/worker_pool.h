// The threads that answer calls, so that gRPC's own few are never held up.
#ifndef GORILA_RPC_WORKER_POOL_H_
#define GORILA_RPC_WORKER_POOL_H_

#include <deque>
#include <functional>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/status.h"
#include "gorila/base/thread.h"

namespace gorila::rpc {

// Thread-safe. The queue is unbounded: callers must limit what they post.
class WorkerPool {
 public:
  WorkerPool() = default;
  // Does what was posted, then joins.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Once, before the first Post(). `threads` >= 1. ResourceExhausted when the system refuses them.
  Status Start(int threads);

  // `work` runs once in one of the threads, in the order of posting. Does not block.
  void Post(std::function<void()> work) GORILA_EXCLUDES(mutex_);

 private:
  void Work() GORILA_EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ GORILA_GUARDED_BY(mutex_);
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  std::vector<Thread> threads_;
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_WORKER_POOL_H_
