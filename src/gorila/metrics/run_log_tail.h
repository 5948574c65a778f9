// A log of metrics read from its end, so that how long it is costs nothing.
#ifndef GORILA_METRICS_RUN_LOG_TAIL_H_
#define GORILA_METRICS_RUN_LOG_TAIL_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/metrics/run_log.h"

namespace gorila {

// Records of one log, newest first. Holds one part of the file, or one line where that is longer.
class RunLogTail {
 public:
  static constexpr std::size_t kPartBytes = std::size_t{64} << 10;
  static constexpr std::size_t kMostLineBytes = kMostLogLineBytes;

  // NotFound without a file. A last line without its end is left out.
  static StatusOr<RunLogTail> Open(const std::filesystem::path& path);
  RunLogTail(RunLogTail&& other) noexcept;
  RunLogTail& operator=(RunLogTail&& other) = delete;
  ~RunLogTail();

  // The record before the one that was returned last; nullopt before the first record. DataLoss,
  // with the place, for a line that is not a JSON object.
  StatusOr<std::optional<RunLogRecord>> Previous() { return PreviousUnless({}); }
  // The same, but passes over lines that begin with `prefix` (empty: none) without parsing them.
  StatusOr<std::optional<RunLogRecord>> PreviousUnless(std::string_view prefix);

  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  RunLogTail(std::filesystem::path path, int file, std::uint64_t end)
      : path_(std::move(path)), file_(file), begin_(end) {}
  Status Cut();
  // Prepends the part of the file before `begin_` (> 0).
  Status ReadPart();
  // Where the last line of `lines_` begins; it is whole then.
  StatusOr<std::size_t> BeginOfLastLine();

  std::filesystem::path path_;
  int file_;
  std::uint64_t begin_;  // where `lines_` begins in the file
  std::string lines_;    // that were not returned, the first one perhaps without its beginning
  bool cut_ = false;     // a last line without its end is
  std::uint64_t bytes_read_ = 0;
};

}  // namespace gorila

#endif  // GORILA_METRICS_RUN_LOG_TAIL_H_
