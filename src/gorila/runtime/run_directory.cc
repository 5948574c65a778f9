#include "gorila/runtime/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gorila/base/file.h"

namespace gorila {

namespace fs = std::filesystem;

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
  std::error_code error;
  if (!fs::exists(path / "config.toml", error)) {
    return InvalidArgument("'{}' is not a run directory: it has no config.toml", path.string());
  }
  return Lock(path);
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Lock(const fs::path& path) {
  const fs::path file = path / ".lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return Unavailable("cannot write to '{}': {}", path.string(), std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return InvalidArgument("run directory '{}' is in use by another process", path.string());
  }
  return std::unique_ptr<RunDirectory>(new RunDirectory(path, fd));
}

RunDirectory::~RunDirectory() { ::close(lock_); }

}  // namespace gorila
