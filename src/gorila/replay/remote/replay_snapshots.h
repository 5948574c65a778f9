// The snapshots of one replay shard, in the folder of its generations (checkpoint/generation.h):
//
//   <folder>/snapshots/<number>/
//     shard.state                   streams, counters, priorities
//     segments.state                which segments are needed, in their order
//     rows/<n>.segment              rows, shared between snapshots by hard links
#ifndef GORILA_REPLAY_REMOTE_REPLAY_SNAPSHOTS_H_
#define GORILA_REPLAY_REMOTE_REPLAY_SNAPSHOTS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/checkpoint/generation.h"
#include "gorila/replay/replay_shard.h"

namespace gorila {

// One thread at a time. All functions block on the disk; the shard keeps working.
class ReplaySnapshots {
 public:
  // Takes the next generation and makes it durable. `layout`: fingerprint of the run's parameter
  // layout.
  static StatusOr<ReplaySnapshots> Open(const std::filesystem::path& folder, std::uint64_t layout);

  std::int64_t generation() const { return generation_.number(); }

  // Restores the newest whole snapshot into `shard`, which is new; false when there is none.
  // InvalidArgument when it belongs to another run, DataLoss when damaged or of another capacity:
  // then the shard must not be used, and StartAnew() allows continuing with an empty one.
  StatusOr<bool> Restore(ReplayShard& shard);
  void StartAnew();
  // Why newer snapshots were passed over.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // FailedPrecondition when another process has taken a newer generation: this one must end.
  Status CheckNotReplaced() const;

  // Writes the rows since the last snapshot and the state, then removes all but the two newest.
  // After an error the next one writes all rows.
  Status Write(ReplayShard& shard);

 private:
  struct Segment {
    std::string name;
    std::int64_t last_serial = 0;  // needed while a chunk of this or a larger serial lives
  };

  ReplaySnapshots(std::filesystem::path folder, std::uint64_t layout, Generation generation)
      : folder_(std::move(folder)), layout_(layout), generation_(std::move(generation)) {}

  std::filesystem::path SnapshotFolder() const { return folder_ / "snapshots"; }
  Status WriteAll(ReplayShard& shard);
  Status AddNewRows(ReplayShard& shard, CheckpointWriter& writer);
  std::string EncodeSegments() const;
  Status DecodeSegments(std::string_view bytes);

  std::filesystem::path folder_;
  std::uint64_t layout_;
  Generation generation_;
  std::int64_t next_segment_ = 0;
  std::vector<Segment> segments_;     // oldest first
  std::optional<Checkpoint> newest_;  // whose segments the next one links
  std::vector<std::string> warnings_;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_REMOTE_REPLAY_SNAPSHOTS_H_
