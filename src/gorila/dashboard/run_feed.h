// A run's directory as it grows, for the dashboard.
#ifndef GORILA_DASHBOARD_RUN_FEED_H_
#define GORILA_DASHBOARD_RUN_FEED_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/run_summary.h"
#include "gorila/run/run_state.h"

namespace gorila {

// Reads only. Not thread-safe.
class RunFeed {
 public:
  // NotFound, InvalidArgument or DataLoss, with the path, when the folder is not a run's or its
  // configuration cannot be read. A missing log is not an error.
  static StatusOr<RunFeed> Open(const LabelledRun& run);

  // What one look found.
  struct News {
    bool log_began_anew = false;     // a resumed run cut its log: earlier lines are void
    std::vector<std::string> lines;  // new complete lines of metrics.jsonl, each a JSON object
    bool state_changed = false;
    bool more = false;  // the log has lines beyond these
  };
  // Reads the files, blocking on the disk. Lines that are not JSON objects are skipped and counted.
  // Only a part of a long log is read at a time (`more`).
  News Poll(const HeldLocks& locks);
  News Poll() { return Poll(HeldLocks::Read()); }

  // A JSON object: label, directory, state, the configuration and what a finished run scored.
  std::string Describe() const;
  // The same without what other readers know of the run: its state and how its log reads.
  std::string DescribeLog() const;

  const std::string& label() const { return run_.label; }
  const std::filesystem::path& directory() const { return run_.directory; }
  const Config& config() const { return config_; }  // when the feed was opened
  RunState state() const { return seen_.state; }

 private:
  RunFeed(LabelledRun run, Config config)
      : run_(std::move(run)), config_(config), described_(std::move(config)) {}
  bool ReadConfig();  // whether it is another one than before
  void ReadLog(News& news);
  void ReadEvaluation();

  LabelledRun run_;
  Config config_;     // as it was at first, which other threads may read
  Config described_;  // as it is now
  std::filesystem::file_time_type configured_{};  // when that was written
  SeenState seen_;
  std::string evaluation_ = "null";  // evaluation.json, in one line
  std::string problem_;              // why something cannot be read; empty when all can
  bool looked_ = false;
  std::chrono::steady_clock::time_point log_grew_;  // before the first look: as its file says
  std::uint64_t offset_ = 0;                        // of the log that was read
  std::string last_line_;                           // the last one before it, to notice another log
  int log_percent_ = 100;                           // how much of it was read
  std::uint64_t bad_lines_ = 0;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RUN_FEED_H_
