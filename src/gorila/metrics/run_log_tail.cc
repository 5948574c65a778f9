#include "gorila/metrics/run_log_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gorila/base/file.h"

namespace gorila {

namespace fs = std::filesystem;

StatusOr<RunLogTail> RunLogTail::Open(const fs::path& path) {
  if (simulated_files != nullptr) {
    GORILA_ASSIGN_OR_RETURN(std::string lines, ReadFile(path));
    RunLogTail tail(path, -1, 0);
    tail.lines_ = std::move(lines);
    return tail;
  }
  // Opening a FIFO would block.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0 && errno == ENOENT) return NotFound("run log '{}' does not exist", path.string());
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) {
    const int error = errno;
    if (file >= 0) ::close(file);
    return Unavailable("cannot open run log '{}': {}", path.string(), std::strerror(error));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(file);
    return InvalidArgument("run log '{}' is not a regular file", path.string());
  }
  return RunLogTail(path, file, static_cast<std::uint64_t>(status.st_size));
}

RunLogTail::RunLogTail(RunLogTail&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      begin_(other.begin_),
      lines_(std::move(other.lines_)),
      cut_(other.cut_),
      bytes_read_(other.bytes_read_) {}

RunLogTail::~RunLogTail() {
  if (file_ >= 0) ::close(file_);
}

Status RunLogTail::ReadPart() {
  if (lines_.size() > kMostLineBytes) {
    return DataLoss("run log '{}' has a line of more than {} bytes before byte {}", path_.string(),
                    kMostLineBytes, begin_ + lines_.size());
  }
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(kPartBytes, begin_));
  std::string part(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t count =
        ::pread(file_, part.data() + got, size - got, static_cast<off_t>(begin_ - size + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return Unavailable("cannot read run log '{}': {}", path_.string(),
                         count < 0 ? std::strerror(errno) : "it became shorter");
    }
    got += static_cast<std::size_t>(count);
  }
  bytes_read_ += size;
  begin_ -= size;
  lines_.insert(0, part);
  return OkStatus();
}

Status RunLogTail::Cut() {
  while (!std::exchange(cut_, true)) {
    const std::size_t end = lines_.rfind('\n');
    if (end == lines_.npos && begin_ > 0) {
      GORILA_RETURN_IF_ERROR(ReadPart());
      cut_ = false;
      continue;
    }
    lines_.resize(end == lines_.npos ? 0 : end + 1);
  }
  return OkStatus();
}

StatusOr<std::size_t> RunLogTail::BeginOfLastLine() {
  const auto end_of_line_before = [this] {
    return lines_.size() < 2 ? lines_.npos : lines_.rfind('\n', lines_.size() - 2);
  };
  std::size_t before = end_of_line_before();
  while (before == lines_.npos && begin_ > 0) {
    GORILA_RETURN_IF_ERROR(ReadPart());
    before = end_of_line_before();
  }
  return before == lines_.npos ? 0 : before + 1;
}

StatusOr<std::optional<RunLogRecord>> RunLogTail::PreviousUnless(std::string_view prefix) {
  GORILA_RETURN_IF_ERROR(Cut());
  for (;;) {
    GORILA_ASSIGN_OR_RETURN(const std::size_t first, BeginOfLastLine());
    if (lines_.empty()) return std::optional<RunLogRecord>();
    const std::string_view line = std::string_view(lines_).substr(first, lines_.size() - 1 - first);
    if (!prefix.empty() && line.starts_with(prefix)) {
      lines_.resize(first);
      continue;
    }
    StatusOr<RunLogRecord> record = ParseRunLogLine(line);
    if (!record.ok()) {
      return Annotate(record.status(),
                      fmt::format("run log '{}' at byte {}", path_.string(), begin_ + first));
    }
    lines_.resize(first);
    return std::optional<RunLogRecord>(*std::move(record));
  }
}

}  // namespace gorila
