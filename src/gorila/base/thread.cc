#include "gorila/base/thread.h"

#include <utility>
#include <vector>

#include "gorila/base/exhaustion.h"
#include "gorila/base/mutex.h"

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
    for (std::thread& thread : threads_) thread.join();
  }

  Status Add(std::string_view who) {
    threads_.reserve(threads_.size() + 1);
    GORILA_ASSIGN_OR_RETURN(std::thread thread, StartThread(who, [this] { Wait(); }));
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
  std::vector<std::thread> threads_;
};

}  // namespace

StatusOr<std::thread> StartThread(std::string_view name, std::function<void()> work) {
  StatusOr<std::thread> started = WithoutThrowing([&]() -> StatusOr<std::thread> {
    return std::thread([work = std::move(work)] {
      const Status status = WithoutThrowing([&work] {
        work();
        return OkStatus();
      });
      if (!status.ok()) EndProgram(status);
    });
  });
  if (started.ok()) return started;
  return Annotate(started.status(), std::string(name));
}

std::thread StartThreadOrEnd(std::string_view name, std::function<void()> work) {
  StatusOr<std::thread> started = StartThread(name, std::move(work));
  if (!started.ok()) EndProgram(started.status());
  return *std::move(started);
}

Status CheckThreads(std::string_view who, int count) {
  return WithoutThrowing([&]() -> Status {
    Waiting waiting;
    for (int i = 0; i < count; ++i) GORILA_RETURN_IF_ERROR(waiting.Add(who));
    return OkStatus();
  });
}

}  // namespace gorila
