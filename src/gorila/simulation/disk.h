// The disks of simulated machines. What a process writes is seen by others at once, and survives a
// power cut once it is synced: bytes by the sync of the file, names by the sync of their folder.
#ifndef GORILA_SIMULATION_DISK_H_
#define GORILA_SIMULATION_DISK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/descriptor.h"
#include "gorila/base/file.h"
#include "gorila/simulation/scheduler.h"

namespace gorila::simulation {

struct DiskOptions {
  std::uint64_t seed = 1;
  double latency = 1e-3;  // seconds, of a sync; other operations take a tenth
  double fails = 0;       // of writes and syncs: no space or an I/O error
  bool journal = true;    // a sync of a folder makes all changes of names before it durable, and a
                          // power cut keeps those up to some point; else any of them
};

struct DiskCounters {
  std::int64_t writes = 0, syncs = 0, failures = 0;
  std::int64_t power_cuts = 0, names_lost = 0, files_torn = 0;
};

// Told what processes do with files; calls nothing back.
class DiskObserver {
 public:
  virtual ~DiskObserver() = default;
  virtual void Synced(ProcessId process, const std::filesystem::path& folder,
                      const std::vector<FolderEntry>& entries) = 0;
  virtual void HasRead(ProcessId process, const std::filesystem::path& path) = 0;
};

// Paths are "/<volume>/...": a volume is one disk, and fails as one. Not thread-safe: of the
// scheduler's thread.
class SimulatedDisk final : public SimulatedFiles, public SimulatedDescriptors {
 public:
  // `scheduler` must outlive it; `observer` may be null.
  SimulatedDisk(Scheduler& scheduler, const DiskOptions& options, DiskObserver* observer);
  ~SimulatedDisk() override;

  // Of the machine that has the volume; its processes must have been killed. Names and bytes that
  // were not synced may be lost, bytes may be garbage.
  void CutPower(const std::string& volume);
  // All that is on the volume is lost; its processes must have been killed.
  void Erase(const std::string& volume) { volumes_.erase(volume); }
  // No more failures.
  void Heal() { options_.fails = 0; }

  // What is in it and below, by the path from there; as processes see it now.
  std::map<std::string, std::string> FilesIn(const std::filesystem::path& folder);

  const DiskCounters& counters() const { return counters_; }

  StatusOr<std::string> Read(const std::filesystem::path& path) override;
  Status WriteSynced(const std::filesystem::path& path, std::string_view contents) override;
  Status SyncFolder(const std::filesystem::path& folder) override;
  Status CreateFolders(const std::filesystem::path& path) override;
  PathLook LookAt(const std::filesystem::path& path) override;
  StatusOr<std::vector<FolderEntry>> List(const std::filesystem::path& folder) override;
  Status Rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Status Remove(const std::filesystem::path& path) override;
  Status Link(const std::filesystem::path& from, const std::filesystem::path& to) override;
  StatusOr<bool> CreateExclusively(const std::filesystem::path& path) override;
  StatusOr<std::unique_ptr<LockFile>> OpenLock(const std::filesystem::path& path) override;

  int Open(const std::filesystem::path& path, int flags) override;
  ssize_t WriteAt(int file, std::string_view bytes, std::uint64_t offset) override;
  int Truncate(int file, std::uint64_t bytes) override;
  int Sync(int file) override;
  int Lock(int file) override;
  int Close(int file) override;

 private:
  struct Node {
    bool folder = false;
    std::string bytes;        // of a file
    std::string durable;      // of these, what a power cut leaves
    bool torn = false;        // whether bytes are not durable yet
    std::size_t kept = 0;     // the first of them, which a power cut leaves for certain
    ProcessId locked_by = 0;  // of a lock file
    // Of a folder; the second are those that a power cut leaves.
    std::map<std::string, std::shared_ptr<Node>> names, durable_names;
  };
  using NodePointer = std::shared_ptr<Node>;
  // A change of names that is not durable yet.
  struct Change {
    NodePointer folder;
    std::string name;
    NodePointer to = {};            // null: removed
    NodePointer other_folder = {};  // of a rename: where the name before was
    std::string other_name = {};
  };
  struct Volume {
    NodePointer root;
    std::vector<Change> changes;  // in their order
  };
  struct OpenFile {
    NodePointer node;
    std::filesystem::path path;
  };
  class HeldLock;

  Volume& VolumeOf(const std::filesystem::path& path);
  NodePointer Find(const std::filesystem::path& path);
  NodePointer ParentOf(const std::filesystem::path& path);
  void Note(const std::filesystem::path& path, Change change);
  static std::vector<FolderEntry> EntriesOf(const Node& folder);
  static void MakeDurable(const Change& change);
  void Restore(const NodePointer& node);
  Status Take(double part, const std::filesystem::path& path);

  Scheduler& scheduler_;
  DiskOptions options_;
  DiskObserver* const observer_;
  std::map<std::string, Volume> volumes_;
  OpenFile& FileOf(int file);

  std::deque<OpenFile> open_files_;  // all there ever were
  std::uint64_t operations_ = 0;
  DiskCounters counters_;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_DISK_H_
