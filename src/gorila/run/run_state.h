// Whether somebody trains a run, as its folder tells.
#ifndef GORILA_RUN_RUN_STATE_H_
#define GORILA_RUN_RUN_STATE_H_

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace gorila {

enum class RunState {
  kTraining,  // a process of this machine holds the run, or another machine's lets its log grow
  kStopped,   // neither, and it has no final evaluation; gorila resume continues it
  kFinished
};
std::string_view RunStateName(RunState state);

// The locks that processes of this machine hold, read once for any number of runs. This only
// queries: a lock taken here, however briefly, could keep `gorila resume` out.
class HeldLocks {
 public:
  static HeldLocks Read();
  bool Includes(const std::filesystem::path& file) const;

 private:
  std::set<std::string, std::less<>> files_;  // "08:02:1234": device and inode
};

struct SeenState {
  RunState state = RunState::kStopped;
  bool elsewhere = false;  // it can only be inferred from the log
  bool operator==(const SeenState&) const = default;
};

// `log_grew`: when the run's log last did.
SeenState LookAtRun(const std::filesystem::path& directory, const HeldLocks& locks,
                    std::chrono::steady_clock::time_point log_grew, double metrics_every_seconds);

// When the file was last written, by this machine's clocks; long ago when it does not exist.
std::chrono::steady_clock::time_point LastWritten(const std::filesystem::path& path);

}  // namespace gorila

#endif  // GORILA_RUN_RUN_STATE_H_
