// starts.jsonl: how every process that trained a run began. Beside metrics.jsonl, because a resume
// cuts that log off at its checkpoint, and because two deterministic runs have the same one.
#ifndef GORILA_RUN_RUN_STARTS_H_
#define GORILA_RUN_RUN_STARTS_H_

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

inline constexpr const char* kStartsFile = "starts.jsonl";

struct ChangedSetting {
  std::string key;
  std::string before, after;  // as configuration files have them
};

struct RunStart {
  std::string time = {};    // UTC, "2026-11-30T02:10:00Z"
  std::int64_t frames = 0;  // that the run had
  double seconds = 0;       // of training before; NaN = not known
  std::string command = {}, version = {}, machine = {};
  std::vector<ChangedSetting> changes = {};  // since the start before
};

// This moment as RunStart::time.
std::string TimeNow();
// The same of another time; empty for one that no calendar has.
std::string UtcText(std::time_t time);

// What a process begins to train with.
struct StartSettings {
  Config now;
  Config before;  // the run's configuration until now; asked where no start is recorded yet
};

// Appends a line to the run's file, which is made where there is none; its changes are those of the
// settings since the start that was recorded last, so that one between which did not come to train
// hides none. Blocks on the disk.
Status AppendRunStart(const std::filesystem::path& run, RunStart start,
                      const StartSettings& settings);

struct RunStarts {
  std::vector<RunStart> starts;  // oldest first; the newest kMostStarts
  std::size_t left_out = 0;      // older ones
};
inline constexpr std::size_t kMostStarts = 1000;

// Empty where there is no file: an older version made the run. DataLoss for a damaged line.
StatusOr<RunStarts> ReadRunStarts(const std::filesystem::path& run);

}  // namespace gorila

#endif  // GORILA_RUN_RUN_STARTS_H_
