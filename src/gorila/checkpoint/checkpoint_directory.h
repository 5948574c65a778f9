// A checkpoint is a folder `<root>/<12-digit number>` of files and a manifest with their sizes and
// checksums. It is written aside as `<root>/.tmp-<number>`, synced and renamed, so that after a
// kill or a power cut at any instant every folder with a checkpoint's name is whole.
//
// One process writes, prunes or discards below a root, one thread at a time; readers may come and
// go.
#ifndef GORILA_CHECKPOINT_CHECKPOINT_DIRECTORY_H_
#define GORILA_CHECKPOINT_CHECKPOINT_DIRECTORY_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/checkpoint/manifest.h"

namespace gorila {

// A complete checkpoint on disk. A value: copies refer to the same folder. Thread-safe.
class Checkpoint {
 public:
  Checkpoint(std::filesystem::path path, std::uint64_t number, std::vector<CheckpointFile> files);

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t number() const { return number_; }
  // Sorted by name.
  const std::vector<CheckpointFile>& files() const { return files_; }

  // The manifest's row. NotFound when it has none of that name.
  StatusOr<CheckpointFile> Find(std::string_view name) const;
  // The whole file, blocking on the disk. NotFound when the manifest has none of that name;
  // DataLoss when its size or checksum is not the manifest's.
  StatusOr<std::string> Read(std::string_view name) const;

 private:
  std::filesystem::path path_;
  std::uint64_t number_;
  std::vector<CheckpointFile> files_;
};

// Writes one checkpoint. All functions block on the disk. Not thread-safe.
//
// File names are `name` or `folder/name` of letters, digits, '.', '_' and '-', neither part
// starting with '.'; "manifest.json" is taken. Anything else, or a name given twice, is
// InvalidArgument.
class CheckpointWriter {
 public:
  // Makes `root` when it is missing, and replaces what a killed writer left of the same number.
  // AlreadyExists when `root` has a checkpoint `number`; InvalidArgument for a number over
  // kMaxCheckpointNumber.
  static StatusOr<std::unique_ptr<CheckpointWriter>> Create(const std::filesystem::path& root,
                                                            std::uint64_t number);
  // Removes the temporary folder unless Commit succeeded.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Writes and syncs a new file.
  Status AddFile(std::string_view name, std::string_view contents);

  // Shares the file of the same name with `older`: a hard link, which costs no space and outlives
  // the pruning of `older`; a synced copy where the file system refuses links. Both checkpoints
  // then hold the same bytes on disk, which nobody may change. The checksum is taken from `older`
  // and not computed again for a link. NotFound when `older` has none of that name, DataLoss when
  // the file's size (for a copy, its checksum too) is not the manifest's.
  Status LinkFile(std::string_view name, const Checkpoint& older);

  // Writes the manifest and syncs everything, then gives the folder its name. Once this returns a
  // checkpoint, it survives a power cut. Nothing may be added after a call, whatever it returned.
  StatusOr<Checkpoint> Commit();

 private:
  CheckpointWriter(std::filesystem::path root, std::uint64_t number);
  Status PrepareName(std::string_view name);

  const std::filesystem::path root_;
  const std::uint64_t number_;
  const std::filesystem::path folder_;  // the temporary one
  std::vector<CheckpointFile> files_;
  std::set<std::filesystem::path> subfolders_;
  bool closed_ = false;   // Commit was called
  bool renamed_ = false;  // the temporary folder has its final name
};

// Paths of all checkpoints in `root`, newest (highest number) first, not opened. Entries of other
// names are not ours and ignored. None when `root` is missing; Unavailable when it cannot be read.
StatusOr<std::vector<std::filesystem::path>> ListCheckpoints(const std::filesystem::path& root);

// Verifies manifest, sizes and checksums. Reads every byte once, 1 MiB at a time: as long as the
// disk takes, plus about a second of one core for each GB. NotFound when there is no such folder;
// DataLoss, naming the file and what is wrong with it, when it is not a whole checkpoint.
StatusOr<Checkpoint> OpenCheckpoint(const std::filesystem::path& path);

struct NewestCheckpoint {
  Checkpoint checkpoint;
  std::vector<std::string> warnings;  // why each newer one was passed over, newest first
};

// The newest checkpoint that verifies. NotFound (with the warnings) when there is none.
StatusOr<NewestCheckpoint> NewestCompleteCheckpoint(const std::filesystem::path& root);

// Removes all but the `keep` >= 1 newest checkpoints, and what killed writers left below the
// newest: above it, a process that replaces this one may be writing. A kill in the middle leaves no
// half checkpoint under a checkpoint's name. Not while a CheckpointWriter of this process is open.
Status PruneCheckpoints(const std::filesystem::path& root, std::size_t keep);

// Removes the checkpoints newer than `number`: they belong to a future that a run resumed from
// `number` will not have; and all that killed writers left. Otherwise as PruneCheckpoints.
Status DiscardCheckpointsAfter(const std::filesystem::path& root, std::uint64_t number);

}  // namespace gorila

#endif  // GORILA_CHECKPOINT_CHECKPOINT_DIRECTORY_H_
