// The runs that several threads have to train, and how each ended.
#ifndef GORILA_CLI_RUN_QUEUE_H_
#define GORILA_CLI_RUN_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/report/evaluation_record.h"

namespace gorila::cli {

struct RunOutcome {
  enum class Kind {
    kFinished,
    kFailed,
    kBusy,         // another process has it
    kInterrupted,  // it can be resumed
  };
  Kind kind = Kind::kInterrupted;
  std::string why;                         // of a failure
  std::vector<std::string> log_tail = {};  // likewise
  std::vector<std::string> said = {};      // by scoring it
  std::optional<EvaluationRecord> record = {};
  double seconds = 0;
};

// Thread-safe.
class RunQueue {
 public:
  // `patience`: for how long a busy run is tried again.
  RunQueue(const std::vector<std::size_t>& runs, int threads, std::chrono::milliseconds patience);

  // The next run; waits while only busy ones are left. Nothing when none is left, or after Stop().
  std::optional<std::size_t> Take() GORILA_EXCLUDES(mutex_);
  // Puts a busy run behind the others; false when patience is at an end.
  bool PutBack(std::size_t run) GORILA_EXCLUDES(mutex_);
  void Report(std::size_t run, RunOutcome outcome) GORILA_EXCLUDES(mutex_);
  // A thread takes no more.
  void EndThread() GORILA_EXCLUDES(mutex_);
  void Stop() GORILA_EXCLUDES(mutex_);

  struct Reported {
    std::size_t run = 0;
    RunOutcome outcome;
  };
  // What was reported since the last call; waits at most until `deadline` for something.
  std::vector<Reported> TakeReported(std::chrono::steady_clock::time_point deadline)
      GORILA_EXCLUDES(mutex_);
  // Those that were taken and neither reported nor put back, in their order.
  std::vector<std::size_t> running() const GORILA_EXCLUDES(mutex_);
  // Whether all threads have ended.
  bool ended() const GORILA_EXCLUDES(mutex_);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Waiting {
    std::size_t run = 0;
    TimePoint due{};
  };

  const std::chrono::milliseconds patience_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> left_ GORILA_GUARDED_BY(mutex_);
  std::set<std::size_t> running_ GORILA_GUARDED_BY(mutex_);
  std::map<std::size_t, TimePoint> busy_since_ GORILA_GUARDED_BY(mutex_);
  std::vector<Reported> reported_ GORILA_GUARDED_BY(mutex_);
  int threads_ GORILA_GUARDED_BY(mutex_);
  bool stopped_ GORILA_GUARDED_BY(mutex_) = false;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_RUN_QUEUE_H_
