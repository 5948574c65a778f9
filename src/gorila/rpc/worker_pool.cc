#include "gorila/rpc/worker_pool.h"

#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/thread.h"

namespace gorila::rpc {

Status WorkerPool::Start(int threads) {
  GORILA_CHECK(threads >= 1, "{} threads", threads);
  threads_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    GORILA_ASSIGN_OR_RETURN(Thread thread, StartThread("server", [this] { Work(); }));
    threads_.push_back(std::move(thread));
  }
  return OkStatus();
}

WorkerPool::~WorkerPool() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  for (Thread& thread : threads_) thread.join();
}

void WorkerPool::Post(std::function<void()> work) {
  const MutexLock lock(mutex_);
  GORILA_CHECK(!ending_, "posted to a pool that ends");
  queue_.push_back(std::move(work));
  changed_.NotifyOne();
}

void WorkerPool::Work() {
  FlushDenormalsInThisThread();  // handlers apply gradients
  for (;;) {
    std::function<void()> work;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !ending_) changed_.Wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace gorila::rpc
