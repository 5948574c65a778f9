// The processes that a launcher starts: they are watched, started again when they die, and end with
// the launcher, however it ends.
#ifndef GORILA_LAUNCH_CHILD_PROCESSES_H_
#define GORILA_LAUNCH_CHILD_PROCESSES_H_

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/status.h"
#include "gorila/base/thread.h"

namespace gorila {

// A server, or a member of a group, that exits has died, however; a worker that exits with status 0
// has finished. A task is never started again, however it ends.
enum class ChildKind { kServer, kMember, kWorker, kTask };

struct ChildCommand {
  std::string name;                    // "shard 0"
  std::vector<std::string> arguments;  // the program's path first
  std::filesystem::path log;           // its stdout and stderr are appended here
  ChildKind kind = ChildKind::kServer;
};

struct RestartPolicy {
  std::chrono::milliseconds first_wait{200};  // doubles with each death in a row
  std::chrono::milliseconds longest_wait{5000};
  std::chrono::milliseconds healthy_after{10'000};  // a death after so long is the first of a row
  int most_in_a_row = 10;                           // deaths; then the whole run fails
};

struct TaskEnd {
  int exit_status = 0;  // -1: a signal ended it
  std::string text;     // "ended with exit status 2", "was killed by signal 9"
};

// Thread-safe. A dedicated thread starts and watches the children; the system ends them (SIGTERM)
// when that thread is gone, even if it was killed.
class ChildProcesses {
 public:
  // `message` (may be empty) receives deaths and restarts, in the watching thread.
  ChildProcesses(const RestartPolicy& policy, std::function<void(std::string_view)> message);
  // Kills what still runs.
  ~ChildProcesses();
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  // Starts a child soon.
  void Start(ChildCommand command) GORILA_EXCLUDES(mutex_);

  // The arguments that later restarts of the child use.
  void SetArguments(std::string_view name, const std::vector<std::string>& arguments)
      GORILA_EXCLUDES(mutex_);

  // Asks the children of that kind to end (SIGTERM), kills those that have not ended after `grace`,
  // and returns when they are gone. They are not started again.
  void Stop(ChildKind kind, std::chrono::milliseconds grace) GORILA_EXCLUDES(mutex_);

  // Why the run cannot continue: a child could not be started, died too often, or reported (exit
  // status 2) that a restart would not help. OK otherwise.
  Status failure() const GORILA_EXCLUDES(mutex_);

  // Whether all children of that kind have finished or were stopped.
  bool AllEnded(ChildKind kind) const GORILA_EXCLUDES(mutex_);

  // Returns when the task has ended, or Stop() ended it. Cancelled when it was stopped before it
  // could start, Unavailable when it could not be started.
  StatusOr<TaskEnd> WaitForTask(std::string_view name) GORILA_EXCLUDES(mutex_);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Child {
    ChildCommand command;
    pid_t pid = 0;  // 0: not running
    bool ended = false;
    bool stopping = false;
    Status unstarted = {};  // why a task could not be started
    int wait_status = 0;    // of a task that has ended
    int deaths = 0;         // in a row
    TimePoint started{};
    TimePoint start_at{};
  };

  void Watch() GORILA_EXCLUDES(mutex_);
  void StartDue(Child& child) GORILA_REQUIRES(mutex_);
  void Reap(Child& child) GORILA_REQUIRES(mutex_);
  void NoteDeath(Child& child, int wait_status) GORILA_REQUIRES(mutex_);
  void Fail(Status status) GORILA_REQUIRES(mutex_);

  const RestartPolicy policy_;
  const std::function<void(std::string_view)> message_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Child> children_ GORILA_GUARDED_BY(mutex_);
  std::vector<std::string> said_ GORILA_GUARDED_BY(mutex_);  // for message_, outside the lock
  Status failure_ GORILA_GUARDED_BY(mutex_);
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_CHILD_PROCESSES_H_
