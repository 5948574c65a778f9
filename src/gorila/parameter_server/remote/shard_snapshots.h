// The snapshots of one shard, in the folder of its generations (checkpoint/generation.h):
//
//   <folder>/snapshots/<number>/
//     shard.safetensors             "values", "target" and the optimizer's slots
//     shard.json                    place, version and counters
//     clients.state                 which gradients were decided on, and the run's progress
#ifndef GORILA_PARAMETER_SERVER_REMOTE_SHARD_SNAPSHOTS_H_
#define GORILA_PARAMETER_SERVER_REMOTE_SHARD_SNAPSHOTS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/checkpoint/generation.h"
#include "gorila/parameter_server/remote/shard_service.h"

namespace gorila {

// A shard's snapshots, which are checkpoints in its folder.
inline std::filesystem::path ShardSnapshotFolder(const std::filesystem::path& folder) {
  return folder / "snapshots";
}

// A shard's parameters as one of its snapshots has them.
struct ShardValues {
  std::vector<float> values;
  std::int64_t version = 0;
  std::vector<std::string> warnings;  // why newer snapshots were passed over
};

// One thread at a time. All functions block on the disk.
class ShardSnapshots {
 public:
  // Takes the next generation and makes it durable, then reads the newest whole snapshot. `layout`:
  // fingerprint of the parameter layout. InvalidArgument when the folder belongs to another shard
  // or layout, DataLoss when there are snapshots but none is whole; then no generation was taken
  // (unless the snapshot was written after the first look).
  static StatusOr<ShardSnapshots> Open(const std::filesystem::path& folder, const ShardPlace& place,
                                       std::uint64_t layout);

  // The parameters of the newest whole snapshot in such a folder, whose shard may run meanwhile:
  // nothing is taken or written. NotFound when there is none.
  static StatusOr<ShardValues> ReadValues(const std::filesystem::path& folder,
                                          const ShardPlace& place, std::uint64_t layout);

  std::int64_t generation() const { return generation_->number(); }
  // The state to continue from; none in a new folder. To be taken once.
  std::optional<ShardState> TakeNewest() { return std::exchange(newest_, std::nullopt); }
  // Why newer snapshots were passed over.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // FailedPrecondition when another process has taken a newer generation: this one must end.
  Status CheckNotReplaced() const;

  // Writes a snapshot and removes all but the two newest. The same error; then nothing is written.
  Status Write(const ShardState& state);

 private:
  ShardSnapshots(std::filesystem::path folder, const ShardPlace& place, std::uint64_t layout)
      : folder_(std::move(folder)), place_(place), layout_(layout) {}

  std::filesystem::path SnapshotFolder() const { return ShardSnapshotFolder(folder_); }
  Status ReadNewest();

  std::filesystem::path folder_;
  ShardPlace place_;
  std::uint64_t layout_;
  std::filesystem::path looked_at_;       // the newest when ReadNewest() looked last
  std::optional<Generation> generation_;  // always there after Open()
  std::optional<ShardState> newest_;
  std::vector<std::string> warnings_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_SHARD_SNAPSHOTS_H_
