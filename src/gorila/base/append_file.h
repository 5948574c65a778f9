// A file of records that only grows, and that outlives a disk which fails for a while.
#ifndef GORILA_BASE_APPEND_FILE_H_
#define GORILA_BASE_APPEND_FILE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>

#include "gorila/base/status.h"

namespace gorila {

// A record that cannot be written waits in memory and is written before the next one. The file
// always ends with a whole record, unless the process is killed in the middle of a write. Blocks on
// the disk. Not thread-safe.
class AppendFile {
 public:
  // Limit of waiting records; beyond it the oldest are dropped.
  static constexpr std::size_t kMostWaitingBytes = std::size_t{4} << 20;

  // Takes `file`, a descriptor open for writing; its first `bytes` are whole records. `kind`, as in
  // "run log", is for errors.
  AppendFile(const char* kind, std::filesystem::path path, int file, std::uint64_t bytes);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) = delete;
  ~AppendFile();

  // Cuts the file off at `bytes`.
  Status Truncate(std::uint64_t bytes);
  void Append(std::string record);
  // Writes what waits. OK when nothing does.
  Status Flush();
  // Flush, then makes all of it survive a power cut.
  Status Sync();

  std::uint64_t bytes() const { return bytes_; }  // of whole records in the file
  std::size_t waiting() const { return waiting_.size(); }
  std::int64_t dropped() const { return dropped_; }
  // The status of the last attempt to write.
  const Status& status() const { return status_; }

 private:
  Status Error(const char* action) const;
  Status Write(const std::string& record);

  const char* kind_;
  std::filesystem::path path_;
  int file_;
  std::uint64_t bytes_;
  bool half_record_ = false;  // bytes of a failed write may follow the whole records
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::int64_t dropped_ = 0;
  Status status_;
};

}  // namespace gorila

#endif  // GORILA_BASE_APPEND_FILE_H_
