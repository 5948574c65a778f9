#include "gorila/base/append_file.h"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "gorila/base/descriptor.h"

namespace gorila {

AppendFile::AppendFile(const char* kind, std::filesystem::path path, int file, std::uint64_t bytes)
    : kind_(kind), path_(std::move(path)), file_(file), bytes_(bytes) {}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : kind_(other.kind_),
      path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      bytes_(other.bytes_),
      half_record_(other.half_record_),
      waiting_(std::move(other.waiting_)),
      waiting_bytes_(other.waiting_bytes_),
      dropped_(other.dropped_),
      status_(std::move(other.status_)) {}

AppendFile::~AppendFile() {
  if (file_ >= 0) CloseDescriptor(file_);
}

Status AppendFile::Error(const char* action) const {
  return Unavailable("cannot {} {} '{}': {}", action, kind_, path_.string(), std::strerror(errno));
}

Status AppendFile::Truncate(std::uint64_t bytes) {
  if (TruncateDescriptor(file_, bytes) != 0) return Error("truncate");
  bytes_ = bytes;
  half_record_ = false;
  return OkStatus();
}

void AppendFile::Append(std::string record) {
  waiting_bytes_ += record.size();
  waiting_.push_back(std::move(record));
  Flush().IgnoreError();  // status() says it
  while (waiting_bytes_ > kMostWaitingBytes) {
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
    ++dropped_;
  }
}

Status AppendFile::Flush() {
  while (!waiting_.empty()) {
    status_ = Write(waiting_.front());
    if (!status_.ok()) return status_;
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
  }
  status_ = OkStatus();
  return status_;
}

Status AppendFile::Sync() {
  GORILA_RETURN_IF_ERROR(Flush());
  if (SyncDescriptor(file_) != 0) status_ = Error("sync");
  return status_;
}

Status AppendFile::Write(const std::string& record) {
  if (half_record_) GORILA_RETURN_IF_ERROR(Truncate(bytes_));
  std::size_t written = 0;
  while (written < record.size()) {
    const ssize_t count =
        WriteDescriptorAt(file_, std::string_view(record).substr(written), bytes_ + written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const Status error = Error("write");
      half_record_ = true;
      Truncate(bytes_).IgnoreError();  // otherwise the next attempt does
      return error;
    }
    written += static_cast<std::size_t>(count);
  }
  bytes_ += record.size();
  return OkStatus();
}

}  // namespace gorila
