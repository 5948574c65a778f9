#include "gorila/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "gorila/base/file_kind.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

Status SystemError(const char* action, const fs::path& path, int error) {
  const std::string message =
      fmt::format("cannot {} '{}': {}", action, path.string(), std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

// Closes on destruction, so that every early return does.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Status WriteAll(int fd, std::string_view contents, const fs::path& path) {
  while (!contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return SystemError("write", path, errno);
    }
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::string> ReadFile(const fs::path& path) {
  return ReadFileOf({"a file", std::numeric_limits<std::int64_t>::max()}, path);
}

StatusOr<std::string> ReadFileOf(const FileKind& kind, const fs::path& path) {
  // Without O_NONBLOCK, opening a FIFO waits for its writer.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return SystemError("look at", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return InvalidArgument("'{}' is {}; expected a regular file", path.string(),
                           S_ISDIR(info.st_mode) ? "a folder" : "a FIFO, socket or device");
  }
  const auto check_size = [&](std::int64_t size) {
    if (size <= kind.most_bytes) return OkStatus();
    return InvalidArgument("'{}' has {} bytes{}; expected {}, which has {} at most", path.string(),
                           size, size == info.st_size ? "" : " or more", kind.name,
                           kind.most_bytes);
  };
  GORILA_RETURN_IF_ERROR(check_size(info.st_size));
  std::string contents;
  contents.reserve(static_cast<std::size_t>(info.st_size));
  char buffer[1 << 16];
  while (true) {
    GORILA_RETURN_IF_ERROR(check_size(static_cast<std::int64_t>(contents.size())));
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", path, errno);
    if (count == 0) return contents;
    contents.append(buffer, static_cast<std::size_t>(count));
  }
}

Status WriteFileSynced(const fs::path& path, std::string_view contents) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return SystemError("create", path, errno);
  GORILA_RETURN_IF_ERROR(WriteAll(file.get(), contents, path));
  if (::fsync(file.get()) != 0) return SystemError("sync", path, errno);
  if (::close(file.Release()) != 0) return SystemError("close", path, errno);
  return OkStatus();
}

Status WriteFileAtomically(const fs::path& path, std::string_view contents) {
  fs::path aside = path;
  aside += ".tmp";
  GORILA_RETURN_IF_ERROR(WriteFileSynced(aside, contents));
  if (::rename(aside.c_str(), path.c_str()) != 0) return SystemError("rename to", path, errno);
  return SyncFolder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

Status SyncFolder(const fs::path& folder) {
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("open folder", folder, errno);
  if (::fsync(file.get()) != 0) return SystemError("sync folder", folder, errno);
  return OkStatus();
}

Status CreateFolders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return SystemError("create folder", path, error.value());
  return OkStatus();
}

std::uint32_t Crc32(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace gorila
