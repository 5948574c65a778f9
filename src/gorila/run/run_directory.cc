#include "gorila/run/run_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "gorila/base/command.h"
#include "gorila/base/descriptor.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/config/run_labels.h"

namespace gorila {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLockFile = ".lock";

std::string ThisHost() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

// Records who holds the lock, for HeldHere. The lock is valid even when this cannot be written.
void WriteHolder(int fd) {
  const std::string holder = ThisHost() + "\n";
  if (TruncateDescriptor(fd, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = WriteDescriptorAt(fd, holder, 0);
}

// Unavailable when it cannot be looked at.
StatusOr<bool> IsThere(const fs::path& path) {
  if (simulated_files != nullptr) return LookAt(path).kind != PathLook::Kind::kNothing;
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (!error) return there;
  return Unavailable("cannot look into '{}': {}", path.parent_path().string(), error.message());
}

bool Has(const fs::path& folder, const char* name) {
  std::error_code error;
  return fs::exists(folder / name, error);
}

// Describes a folder without config.toml, where possible.
std::string OtherFolder(const fs::path& path) {
  if (Has(path, "settings.toml")) {
    return "; it is a folder of gorila suite or gorila sweep, whose runs are in folders below it, "
           "and "
           "the same command resumes it";
  }
  if (Has(path, "manifest.json")) return "; it is a checkpoint: name the run's folder";
  return "";
}

// Advice for a folder that is not empty.
std::string HowToUse(const fs::path& path) {
  if (Has(path, "config.toml")) return fmt::format(" (or: {})", ResumeCommand(path));
  if (Has(path, "settings.toml")) return " (it is a folder of gorila suite or gorila sweep)";
  return "";
}

// What a process that was killed may leave while it makes a run, before config.toml, the last file.
bool IsHalfMade(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  if (name == kLockFile || name == "token") return true;
  if (name.starts_with("config.toml.") || name.starts_with("initial.safetensors")) return true;
  if (name.starts_with(kLabelsFile)) return true;
  std::error_code error;
  return (name == "addresses" || name == "servers" || name == "logs") &&
         entry.is_directory(error) && fs::is_empty(entry.path(), error) && !error;
}

enum class Contents { kNothing, kHalfMade, kOther };

StatusOr<Contents> LookInto(const fs::path& path) {
  Contents contents = Contents::kNothing;
  std::error_code error;
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (!IsHalfMade(*entry)) return Contents::kOther;
    contents = Contents::kHalfMade;
  }
  if (error) return Unavailable("cannot look into '{}': {}", path.string(), error.message());
  return contents;
}

Status CheckIsFree(const fs::path& path) {
  GORILA_ASSIGN_OR_RETURN(const Contents contents, LookInto(path));
  if (contents != Contents::kOther) return OkStatus();
  return absl::AlreadyExistsError(fmt::format(
      "run directory '{}' is not empty; expected a new one{}", path.string(), HowToUse(path)));
}

// All but the lock, which this process holds.
Status RemoveHalfMade(const fs::path& path) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
    if (entry.path().filename() == kLockFile) continue;
    fs::remove(entry.path(), error);
    if (error) break;
  }
  if (error) return Unavailable("cannot empty '{}': {}", path.string(), error.message());
  return OkStatus();
}

}  // namespace

RunKind KindOfRun(const fs::path& path) {
  if (Has(path, "token") || Has(path, "servers")) return RunKind::kLaunched;
  // The second is in the folders of older versions.
  if (Has(path, "coordinated") || Has(path, "best.safetensors")) return RunKind::kCoordinated;
  return RunKind::kTrained;
}

std::string ResumeCommand(const fs::path& path) {
  switch (KindOfRun(path)) {
    case RunKind::kLaunched:
      return fmt::format("gorila launch --resume {}", ShellQuotedPath(path.string()));
    case RunKind::kCoordinated:
      return fmt::format("gorila coordinator --run-dir {}", ShellQuotedPath(path.string()));
    case RunKind::kTrained:
      break;
  }
  return fmt::format("gorila resume {}", ShellQuotedPath(path.string()));
}

Status CheckRunKind(const fs::path& path, RunKind expected) {
  const RunKind kind = KindOfRun(path);
  if (kind == expected) return OkStatus();
  const char* const by = kind == RunKind::kTrained    ? "gorila train"
                         : kind == RunKind::kLaunched ? "gorila launch"
                                                      : "gorila coordinator";
  return InvalidArgument("'{}' is a run of {}; resume it with: {}", path.string(), by,
                         ResumeCommand(path));
}

Status CheckIsRun(const fs::path& path) {
  if (LookAt(path).kind != PathLook::Kind::kFolder) {
    return NotFound("run '{}': no such folder", path.string());
  }
  GORILA_ASSIGN_OR_RETURN(const bool found, IsThere(path / "config.toml"));
  if (found) return OkStatus();
  const StatusOr<Contents> contents = LookInto(path);
  const bool half_made = contents.ok() && *contents == Contents::kHalfMade;
  return InvalidArgument(
      "'{}' is not a run directory: it has no config.toml{}", path.string(),
      half_made ? "; the process that was making it ended too early, so make the run once more"
                : OtherFolder(path));
}

bool HeldHere(const fs::path& path) {
  const StatusOr<std::string> holder = ReadFileOf(kNoteFile, path / kLockFile);
  const std::string host = ThisHost();
  return holder.ok() && !host.empty() && *holder == host + "\n";
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Create(const fs::path& path) {
  GORILA_RETURN_IF_ERROR(CreateFolders(path));
  GORILA_RETURN_IF_ERROR(CheckIsFree(path));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<RunDirectory> directory, Lock(path));
  // Another process may have made a run there before this one had the lock.
  GORILA_RETURN_IF_ERROR(CheckIsFree(path));
  GORILA_RETURN_IF_ERROR(RemoveHalfMade(path));
  return directory;
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Open(const fs::path& path) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(path));
  return Lock(path);
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Lock(const fs::path& path) {
  const fs::path file = path / kLockFile;
  const int fd = OpenDescriptor(file, O_RDWR | O_CREAT);
  if (fd < 0) return Unavailable("cannot write to '{}': {}", path.string(), std::strerror(errno));
  if (LockDescriptor(fd) != 0) {
    CloseDescriptor(fd);
    return absl::AlreadyExistsError(
        fmt::format("run directory '{}' is in use by another process", path.string()));
  }
  WriteHolder(fd);
  return std::unique_ptr<RunDirectory>(new RunDirectory(path, fd));
}

// A folder that is removed while files are created in it may stay, without its contents.
Status RunDirectory::CheckNotRemoved() const {
  const StatusOr<bool> there = IsThere(config());
  if (!there.ok() || *there) return OkStatus();
  return absl::AbortedError(
      fmt::format("run directory '{}' was removed while the run was training, so training stopped",
                  path_.string()));
}

RunDirectory::~RunDirectory() { CloseDescriptor(lock_); }

}  // namespace gorila
