#include "gorila/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
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

class RealLockFile final : public LockFile {
 public:
  explicit RealLockFile(int file) : file_(file) {}

  Outcome TryLock() override {
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return Outcome::kHeld;
    return errno == EWOULDBLOCK || errno == EINTR ? Outcome::kBusy : Outcome::kUnsupported;
  }
  void Write(std::string_view note) override {
    // Without it a successor would only wait for longer.
    [[maybe_unused]] const int truncated = ::ftruncate(file_.get(), 0);
    [[maybe_unused]] const ssize_t written = ::pwrite(file_.get(), note.data(), note.size(), 0);
  }
  std::string Read() const override {
    std::string note(64, '\0');
    const ssize_t count = ::pread(file_.get(), note.data(), note.size(), 0);
    note.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
    return note;
  }

 private:
  const FileDescriptor file_;
};

}  // namespace

StatusOr<std::string> ReadFile(const fs::path& path) {
  return ReadFileOf({"a file", std::numeric_limits<std::int64_t>::max()}, path);
}

StatusOr<std::string> ReadFileOf(const FileKind& kind, const fs::path& path) {
  if (simulated_files != nullptr) return simulated_files->Read(path);
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
  if (simulated_files != nullptr) return simulated_files->WriteSynced(path, contents);
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
  GORILA_RETURN_IF_ERROR(RenamePath(aside, path));
  return SyncFolder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

Status SyncFolder(const fs::path& folder) {
  if (simulated_files != nullptr) return simulated_files->SyncFolder(folder);
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("open folder", folder, errno);
  if (::fsync(file.get()) != 0) return SystemError("sync folder", folder, errno);
  return OkStatus();
}

Status CreateFolders(const fs::path& path) {
  if (simulated_files != nullptr) return simulated_files->CreateFolders(path);
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return SystemError("create folder", path, error.value());
  return OkStatus();
}

Status CreateDurableFolders(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (LookAt(path).kind == PathLook::Kind::kFolder) {
    // Whoever made it may have been killed before its sync. A parent that is not ours to read has
    // had the name for long.
    SyncFolder(parent).IgnoreError();
    return OkStatus();
  }
  if (parent != path && LookAt(parent).kind != PathLook::Kind::kFolder) {
    GORILA_RETURN_IF_ERROR(CreateDurableFolders(parent));
  }
  GORILA_RETURN_IF_ERROR(CreateFolders(path));
  return SyncFolder(parent);
}

std::uint32_t Crc32(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

StatusOr<std::uint32_t> Crc32OfFile(const fs::path& path) {
  if (simulated_files != nullptr) {
    GORILA_ASSIGN_OR_RETURN(const std::string contents, simulated_files->Read(path));
    return Crc32(contents);
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<char> buffer(std::size_t{1} << 20);
  uLong crc = 0;
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(buffer.data()),
                  static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) return Unavailable("cannot read '{}'", path.string());
  return static_cast<std::uint32_t>(crc);
}

PathLook LookAt(const fs::path& path) {
  if (simulated_files != nullptr) return simulated_files->LookAt(path);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return {};
  if (fs::is_directory(status)) return {.kind = PathLook::Kind::kFolder};
  if (!fs::is_regular_file(status)) return {.kind = PathLook::Kind::kOther};
  const std::uintmax_t size = fs::file_size(path, error);
  return {.kind = PathLook::Kind::kRegular, .size = error ? 0 : size};
}

StatusOr<std::vector<FolderEntry>> ListFolder(const fs::path& folder) {
  if (simulated_files != nullptr) return simulated_files->List(folder);
  std::vector<FolderEntry> entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code vanished;  // an entry that was removed meanwhile counts as a file
    entries.push_back({entry->path().filename().string(), entry->is_directory(vanished)});
  }
  if (error) return SystemError("list", folder, error.value());
  return entries;
}

Status RenamePath(const fs::path& from, const fs::path& to) {
  if (simulated_files != nullptr) return simulated_files->Rename(from, to);
  if (::rename(from.c_str(), to.c_str()) != 0) return SystemError("rename to", to, errno);
  return OkStatus();
}

Status RemovePathAndBelow(const fs::path& path) {
  if (simulated_files != nullptr) return simulated_files->Remove(path);
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return Unavailable("cannot remove '{}': {}", path.string(), error.message());
  return OkStatus();
}

Status LinkFileTo(const fs::path& from, const fs::path& to) {
  if (simulated_files != nullptr) return simulated_files->Link(from, to);
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (error) return SystemError("link", to, error.value());
  return OkStatus();
}

StatusOr<bool> CreateExclusively(const fs::path& path) {
  if (simulated_files != nullptr) return simulated_files->CreateExclusively(path);
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file.get() < 0 && errno == EEXIST) return false;
  if (file.get() < 0) return SystemError("create", path, errno);
  return true;
}

StatusOr<std::unique_ptr<LockFile>> LockFile::Open(const fs::path& path) {
  if (simulated_files != nullptr) return simulated_files->OpenLock(path);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return Unavailable("cannot write to '{}': {}", path.parent_path().string(),
                       std::strerror(errno));
  }
  return std::make_unique<RealLockFile>(file);
}

}  // namespace gorila
