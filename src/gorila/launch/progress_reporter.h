// Reports a process's progress to shard 0, and keeps its frame clock in step with the run's.
#ifndef GORILA_LAUNCH_PROGRESS_REPORTER_H_
#define GORILA_LAUNCH_PROGRESS_REPORTER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/thread.h"
#include "gorila/launch/role_options.h"
#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/run/bundle.h"

namespace gorila {

// A process's figures at one instant.
struct ProcessReport {
  v1::RoleStatus status;
  std::vector<EpisodeResult> episodes;    // finished since the last look
  std::vector<std::int64_t> game_frames;  // of each game, since the process began
};

// Reports several times a second, or as seldom as a shard with thousands of clients wants, from a
// separate thread, from Start() to the destructor. The next report repeats the contents of one that
// failed, so only a process that ends without Finish() loses anything.
class ProgressReporter {
 public:
  // `look` is called in the reporter's thread; what it gives is shown on the hooks' board, too. All
  // must outlive the reporter.
  ProgressReporter(RemoteParameterStore& store, FrameClock& clock, const RoleHooks& hooks,
                   std::function<ProcessReport()> look);
  ~ProgressReporter();
  ProgressReporter(const ProgressReporter&) = delete;
  ProgressReporter& operator=(const ProgressReporter&) = delete;

  // One report, so that the clock is the run's from the beginning; tried again as `retry` says.
  Status Start(const rpc::RetryPolicy& retry);

  // Whether shard 0 has told of so many frames: then they are safe there, and nobody is needed for
  // more. Where only the clock has them, which is ahead of shard 0, sleeps a little.
  bool HasTold(std::int64_t frames) const;

  // Makes the last report, and says so if it is not delivered within 3 s. Call when nothing more
  // will happen. Cancelled when the process was stopped before the run had its `frames`.
  Status Finish(std::int64_t frames);

 private:
  void Loop() GORILA_EXCLUDES(mutex_);
  Status ReportOnce();
  void EndThread() GORILA_EXCLUDES(mutex_);

  RemoteParameterStore& store_;
  FrameClock& clock_;
  const RoleHooks& hooks_;
  const std::function<ProcessReport()> look_;
  std::deque<EpisodeResult> episodes_;     // not acknowledged yet; of one thread at a time
  std::int64_t first_episode_ = 0;         // number of the first of them
  std::chrono::milliseconds period_{200};  // as shard 0 wants it; of one thread at a time

  Mutex mutex_;
  CondVar ending_changed_;
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  std::atomic<std::int64_t> told_frames_{0};
  Thread thread_;
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_PROGRESS_REPORTER_H_
