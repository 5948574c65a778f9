#include "gorila/base/thread.h"

#include <utility>
#include <vector>

#include "gorila/base/exhaustion.h"
#include "gorila/base/mutex.h"
#include "gorila/base/runtime.h"

namespace gorila {
namespace {

// Threads that wait for its end.
class Waiting {
 public:
  ~Waiting() {
    {
      const MutexLock lock(mutex_);
      ending_ = true;
      changed_.NotifyAll();
    }
    for (Thread& thread : threads_) thread.join();
  }

  Status Add(std::string_view who) {
    threads_.reserve(threads_.size() + 1);
    GORILA_ASSIGN_OR_RETURN(Thread thread, StartThread(who, [this] { Wait(); }));
    threads_.push_back(std::move(thread));
    return OkStatus();
  }

 private:
  void Wait() GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!ending_) changed_.Wait(mutex_);
  }

  Mutex mutex_;
  CondVar changed_;
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  std::vector<Thread> threads_;
};

}  // namespace

Thread Thread::Simulated(std::uint64_t number) {
  Thread thread;
  thread.simulated_ = number;
  return thread;
}

Thread::Thread(Thread&& other) noexcept
    : thread_(std::move(other.thread_)), simulated_(std::exchange(other.simulated_, 0)) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  GORILA_CHECK(simulated_ == 0, "simulated thread {} was not joined", simulated_);
  thread_ = std::move(other.thread_);
  simulated_ = std::exchange(other.simulated_, 0);
  return *this;
}

Thread::~Thread() {
  GORILA_CHECK(simulated_ == 0, "simulated thread {} was not joined", simulated_);
}

void Thread::join() {
  if (simulated_ == 0) return thread_.join();
  simulated_runtime->Join(std::exchange(simulated_, 0));
}

StatusOr<Thread> StartThread(std::string_view name, std::function<void()> work) {
  if (simulated_runtime != nullptr) {
    GORILA_ASSIGN_OR_RETURN(const std::uint64_t number,
                            simulated_runtime->Start(name, std::move(work)));
    return Thread::Simulated(number);
  }
  StatusOr<Thread> started = WithoutThrowing([&]() -> StatusOr<Thread> {
    return Thread(std::thread([work = std::move(work)] {
      const Status status = WithoutThrowing([&work] {
        work();
        return OkStatus();
      });
      if (!status.ok()) EndProgram(status);
    }));
  });
  if (started.ok()) return started;
  return Annotate(started.status(), std::string(name));
}

Thread StartThreadOrEnd(std::string_view name, std::function<void()> work) {
  StatusOr<Thread> started = StartThread(name, std::move(work));
  if (!started.ok()) EndProgram(started.status());
  return *std::move(started);
}

Status CheckThreads(std::string_view who, int count) {
  if (simulated_runtime != nullptr) return OkStatus();
  return WithoutThrowing([&]() -> Status {
    Waiting waiting;
    for (int i = 0; i < count; ++i) GORILA_RETURN_IF_ERROR(waiting.Add(who));
    return OkStatus();
  });
}

}  // namespace gorila
