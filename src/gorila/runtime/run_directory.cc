#include "gorila/runtime/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "gorila/base/file.h"

namespace gorila {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLockFile = ".lock";

std::string ThisHost() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

// Who holds the lock, for HeldHere. The lock does without when it cannot be written.
void WriteHolder(int fd) {
  const std::string holder = ThisHost() + "\n";
  if (::ftruncate(fd, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(fd, holder.data(), holder.size(), 0);
}

}  // namespace

Status CheckIsRun(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return NotFound("run '{}': no such folder", path.string());
  }
  const bool found = fs::exists(path / "config.toml", error);
  if (error) return Unavailable("cannot look into '{}': {}", path.string(), error.message());
  if (found) return OkStatus();
  return InvalidArgument("'{}' is not a run directory: it has no config.toml", path.string());
}

bool HeldHere(const fs::path& path) {
  const StatusOr<std::string> holder = ReadFile(path / kLockFile);
  const std::string host = ThisHost();
  return holder.ok() && !host.empty() && *holder == host + "\n";
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Create(const fs::path& path) {
  GORILA_RETURN_IF_ERROR(CreateFolders(path));
  std::error_code error;
  if (!fs::is_empty(path, error) || error) {
    return InvalidArgument(
        "run directory '{}' is not empty; expected a new one (or: gorila resume {})", path.string(),
        path.string());
  }
  return Lock(path);
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Open(const fs::path& path) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(path));
  return Lock(path);
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Lock(const fs::path& path) {
  const fs::path file = path / kLockFile;
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return Unavailable("cannot write to '{}': {}", path.string(), std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return InvalidArgument("run directory '{}' is in use by another process", path.string());
  }
  WriteHolder(fd);
  return std::unique_ptr<RunDirectory>(new RunDirectory(path, fd));
}

RunDirectory::~RunDirectory() { ::close(lock_); }

}  // namespace gorila
