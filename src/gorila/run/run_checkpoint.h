// What a training run keeps in a checkpoint, and how a cluster comes back from one.
//
//   parameters.safetensors   theta, by name and shape as a PyTorch user expects
//   target.safetensors       theta-
//   optimizer.safetensors    "<slot>/<tensor>"
//   best.safetensors         the best network of the periodic evaluations, when there was one
//   pending-<i>.safetensors  networks that wait for their periodic evaluation
//   state.json               clocks, shard versions and counters, replay segments
//   run.state                the trainer's own state
//   bundle-<i>.state         environments, random streams, outlier filter, replay bookkeeping
//   replay/<i>-<n>.segment   replay rows, shared between checkpoints by hard links
#ifndef GORILA_RUN_RUN_CHECKPOINT_H_
#define GORILA_RUN_RUN_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/evaluation/network_in_training.h"
#include "gorila/run/cluster.h"
#include "gorila/run/resume_rules.h"

namespace gorila {

// The network that scored best in a periodic evaluation.
struct BestNetwork {
  double mean = 0;
  std::int64_t frames = 0;  // when
  std::vector<float> parameters;
  std::string protocol = {};  // ComparableAs(); empty where an older version wrote it
};

// What the trainer itself must remember.
struct RunMemory {
  double seconds = 0;  // training time so far, over resumes
  std::uint64_t metrics_bytes =
      0;  // length of metrics.jsonl; what was logged later is cut on resume
  std::optional<BestNetwork> best;
  std::vector<SharedNetwork> pending = {};  // to be evaluated, oldest first
  std::string trainer_state;                // opaque here
};

// What a checkpoint was made with; empty where an older version wrote it.
StatusOr<MadeWith> ReadMadeWith(const Checkpoint& checkpoint);

// Writes the checkpoints of one run. One thread.
class RunCheckpointer {
 public:
  RunCheckpointer(std::filesystem::path root, bool with_replay, int keep)
      : root_(std::move(root)), with_replay_(with_replay), keep_(keep) {}

  // Copies everything that can change out of the cluster, whose bundles must be between two
  // iterations. Does not touch the disk.
  Status Capture(Cluster& cluster, const RunMemory& memory);
  // Writes what was captured; training may continue meanwhile. Then removes old checkpoints. After
  // an error (disk full) call it again, or Capture and Write again: nothing is lost but time.
  Status Write();

  // Brings `cluster` (new, made from the same configuration; the number of shards may differ) to
  // the state of `checkpoint`. After an error the cluster must not be used. With `games_added` its
  // bundles begin anew, with empty memories, and no network has been the best yet; the frames until
  // now were those of the games but the last `games_added`.
  StatusOr<RunMemory> Restore(const Checkpoint& checkpoint, Cluster& cluster, int games_added = 0);

  // Frames of the newest checkpoint written or restored; -1 = none.
  std::int64_t newest_frames() const { return newest_frames_; }

 private:
  struct Segment {
    int bundle = 0;
    std::string name;
    std::vector<std::int64_t> ends;  // per stream, the row after its last
  };
  struct NewFile {
    std::string name;
    std::string contents;
  };

  Status CaptureParameters(Cluster& cluster, const RunMemory& memory);
  Status CapturePending(Cluster& cluster, const RunMemory& memory);
  Status CaptureBundle(int index, Bundle& bundle);
  std::string EncodeState(Cluster& cluster, const RunMemory& memory) const;
  void ForgetUnneededSegments(Cluster& cluster);
  bool IsNeeded(const std::string& file) const;
  Status RemoveUnconfirmed() const;
  Status RestoreShards(const Checkpoint& checkpoint, const std::string& state_json,
                       Cluster& cluster) const;
  Status RestoreBundles(const Checkpoint& checkpoint, Cluster& cluster);

  const std::filesystem::path root_;
  const bool with_replay_;
  const int keep_;
  std::int64_t newest_frames_ = -1;
  std::optional<Checkpoint> newest_;  // whose segments the next one links
  std::vector<Segment> segments_;     // needed by the present state
  std::int64_t next_segment_ = 0;
  std::int64_t captured_frames_ = -1;
  bool unconfirmed_ = false;       // the last Write did not succeed
  std::vector<NewFile> captured_;  // with segments of earlier captures that are not stored yet
};

}  // namespace gorila

#endif  // GORILA_RUN_RUN_CHECKPOINT_H_
