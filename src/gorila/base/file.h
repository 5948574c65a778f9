// Files that are never half-written: a reader sees the old contents or the new, whatever is killed
// when. All functions block on the disk and are thread-safe (on different paths). In a simulation
// (base/runtime.h) the disk is simulated.
#ifndef GORILA_BASE_FILE_H_
#define GORILA_BASE_FILE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// The whole of a regular file. NotFound when there is none, InvalidArgument when it is something
// else (a folder, a FIFO, a device: reading might never end), Unavailable when it cannot be read.
StatusOr<std::string> ReadFile(const std::filesystem::path& path);

// Writes aside (`path` + ".tmp"), syncs, renames over `path`, syncs the folder.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents);

// Writes and syncs without the rename: for a file inside a folder that is itself renamed into
// place.
Status WriteFileSynced(const std::filesystem::path& path, std::string_view contents);

// Makes names created or renamed in `folder` survive a power cut.
Status SyncFolder(const std::filesystem::path& folder);

// Creates `path` and its parents. OK when it is there already.
Status CreateFolders(const std::filesystem::path& path);

// The same, and the names survive a power cut: without that, neither does what is synced below.
Status CreateDurableFolders(const std::filesystem::path& path);

// What a path is, links followed; what cannot be looked at is kNothing.
struct PathLook {
  enum class Kind { kNothing, kRegular, kFolder, kOther };
  Kind kind = Kind::kNothing;
  std::uint64_t size = 0;  // of a regular file
};
PathLook LookAt(const std::filesystem::path& path);

struct FolderEntry {
  std::string name;
  bool folder = false;
};
// In any order. NotFound when there is no such folder, Unavailable when it cannot be read.
StatusOr<std::vector<FolderEntry>> ListFolder(const std::filesystem::path& folder);

// Over what is at `to`. Durable after SyncFolder() of both folders. NotFound without `from`.
Status RenamePath(const std::filesystem::path& from, const std::filesystem::path& to);

// With all that is below it. OK when there is nothing.
Status RemovePathAndBelow(const std::filesystem::path& path);

// A second name for the same bytes.
Status LinkFileTo(const std::filesystem::path& from, const std::filesystem::path& to);

// An empty file; false when there is something of that name. Durable after SyncFolder().
StatusOr<bool> CreateExclusively(const std::filesystem::path& path);

// CRC-32 (IEEE 802.3, zlib's).
std::uint32_t Crc32(std::string_view bytes);
// The same of a file of any size, 1 MiB in memory at a time.
StatusOr<std::uint32_t> Crc32OfFile(const std::filesystem::path& path);

// A file that one process of a machine locks at a time, until it ends. One thread at a time.
class LockFile {
 public:
  // Creates it where it is missing. Unavailable when it cannot be written.
  static StatusOr<std::unique_ptr<LockFile>> Open(const std::filesystem::path& path);
  virtual ~LockFile() = default;

  enum class Outcome { kHeld, kBusy, kUnsupported };
  virtual Outcome TryLock() = 0;
  // A note for others. That of a lock that was just taken is its holder's before.
  virtual void Write(std::string_view note) = 0;
  virtual std::string Read() const = 0;  // of at most 64 bytes
};

// What stands for the disk in a simulation: the functions above, of the same meaning.
class SimulatedFiles {
 public:
  virtual ~SimulatedFiles() = default;
  virtual StatusOr<std::string> Read(const std::filesystem::path& path) = 0;
  virtual Status WriteSynced(const std::filesystem::path& path, std::string_view contents) = 0;
  virtual Status SyncFolder(const std::filesystem::path& folder) = 0;
  virtual Status CreateFolders(const std::filesystem::path& path) = 0;
  virtual PathLook LookAt(const std::filesystem::path& path) = 0;
  virtual StatusOr<std::vector<FolderEntry>> List(const std::filesystem::path& folder) = 0;
  virtual Status Rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual Status Remove(const std::filesystem::path& path) = 0;
  virtual Status Link(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual StatusOr<bool> CreateExclusively(const std::filesystem::path& path) = 0;
  virtual StatusOr<std::unique_ptr<LockFile>> OpenLock(const std::filesystem::path& path) = 0;
};

// Null in threads that simulate nothing.
inline constinit thread_local SimulatedFiles* simulated_files = nullptr;

}  // namespace gorila

#endif  // GORILA_BASE_FILE_H_
