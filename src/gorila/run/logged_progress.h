// The last progress that an earlier process logged of a run, to continue from.
#ifndef GORILA_RUN_LOGGED_PROGRESS_H_
#define GORILA_RUN_LOGGED_PROGRESS_H_

#include <cstdint>
#include <filesystem>

#include "gorila/base/status.h"

namespace gorila {

struct LoggedProgress {
  bool any = false;  // whether there are records
  std::int64_t frames = 0;
  double seconds = 0;      // of training; 0 in a log without times
  double cpu_seconds = 0;  // likewise
  std::int64_t evaluations = 0;
  std::int64_t skipped_evaluations = 0;
  std::int64_t evaluated_frames = -1;  // of the newest network that was evaluated
  std::uint64_t bytes_read = 0;        // of the log
};

// Reads a log from its end up to the last record that carries all counts, in bounded memory.
// Records of older versions carry none: then all records are read, still in bounded memory. Empty
// without a file. DataLoss for a damaged record among those.
StatusOr<LoggedProgress> ReadLoggedProgress(const std::filesystem::path& log);

}  // namespace gorila

#endif  // GORILA_RUN_LOGGED_PROGRESS_H_
