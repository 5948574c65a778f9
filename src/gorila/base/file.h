// Reads and replaces files. WriteFileAtomically never leaves one half-written, whenever the process
// is killed. All functions block on the disk and are thread-safe on different paths. In a
// simulation (base/runtime.h) they use a simulated disk.
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

// The contents of a regular file. NotFound when there is none, InvalidArgument for anything else (a
// folder, a FIFO, a device: reading might never end), Unavailable when it cannot be read.
StatusOr<std::string> ReadFile(const std::filesystem::path& path);

// Writes aside (`path` + ".tmp"), syncs, renames over `path`, syncs the folder.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents);

// Writes and syncs without the rename: for a file inside a folder that is itself renamed into
// place.
Status WriteFileSynced(const std::filesystem::path& path, std::string_view contents);

// Makes names that were created or renamed in `folder` survive a power cut.
Status SyncFolder(const std::filesystem::path& folder);

// Creates `path` and its parents. OK when it exists already.
Status CreateFolders(const std::filesystem::path& path);

// The same, and the names survive a power cut: otherwise what is synced below them would be lost.
Status CreateDurableFolders(const std::filesystem::path& path);

// What a path names, following links; kNothing also when that cannot be found out.
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
// Lists a folder in any order. NotFound when there is none, Unavailable when it cannot be read.
StatusOr<std::vector<FolderEntry>> ListFolder(const std::filesystem::path& folder);

// Replaces `to` by `from`. Durable after SyncFolder() of both folders. NotFound without `from`.
Status RenamePath(const std::filesystem::path& from, const std::filesystem::path& to);

// Removes `path` and everything below it. OK when there is nothing.
Status RemovePathAndBelow(const std::filesystem::path& path);

// Makes `to` a second name (a hard link) of the file `from`.
Status LinkFileTo(const std::filesystem::path& from, const std::filesystem::path& to);

// Creates an empty file; false when the name exists already. Durable after SyncFolder().
StatusOr<bool> CreateExclusively(const std::filesystem::path& path);

// CRC-32 (IEEE 802.3, as zlib computes it).
std::uint32_t Crc32(std::string_view bytes);
// The same for a file of any size, with 1 MiB in memory at a time. Unavailable if unreadable.
StatusOr<std::uint32_t> Crc32OfFile(const std::filesystem::path& path);

// A file that one process of a machine at a time can lock, until it ends. One thread at a time.
class LockFile {
 public:
  // Creates the file if it is missing. Unavailable when it cannot be written.
  static StatusOr<std::unique_ptr<LockFile>> Open(const std::filesystem::path& path);
  virtual ~LockFile() = default;

  enum class Outcome { kHeld, kBusy, kUnsupported };
  virtual Outcome TryLock() = 0;
  // Leaves a note for other processes. Until then a lock has the note of its previous holder.
  virtual void Write(std::string_view note) = 0;
  virtual std::string Read() const = 0;  // the note, at most 64 bytes
};

// Takes the place of the disk in a simulation: functions with the meaning of those above.
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

// Null in threads outside a simulation.
inline constinit thread_local SimulatedFiles* simulated_files = nullptr;

}  // namespace gorila

#endif  // GORILA_BASE_FILE_H_
