// A shard of the global replay memory (paper section 4.1): many actors insert, many learners
// sample.
#ifndef GORILA_REPLAY_REPLAY_SHARD_H_
#define GORILA_REPLAY_REPLAY_SHARD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/random.h"
#include "gorila/replay/chunk_store.h"
#include "gorila/replay/local_replay.h"
#include "gorila/replay/replay_endpoint.h"
#include "gorila/replay/selector.h"

namespace gorila {

struct ReplayShardOptions {
  LocalReplayOptions replay = {};  // capacity: time steps of all streams together
  ObservationSpec observation = {};
  int num_actions = 1;
  std::int64_t generation = 1;  // of this process; larger than that of any before it
  // Samples that may wait for the rate limiter at once; more are answered without a wait. Each
  // holds a thread of the server, which others need.
  int max_waiting_samples = 1024;
};

// Since the shard's beginning, over restarts from a snapshot. Every row that an insert brought and
// that was not refused is either accepted or repeated.
struct ReplayShardCounters {
  std::int64_t accepted = 0;          // rows
  std::int64_t repeated = 0;          // rows that had been accepted before
  std::int64_t evicted = 0;           // rows that made room
  std::int64_t refused_inserts = 0;   // requests with a row that cannot be
  std::int64_t streams = 0;           // that began
  std::int64_t broken_streams = 0;    // of them, in place of one whose next rows never came
  std::int64_t sampled = 0;           // minibatches
  std::int64_t priorities = 0;        // updated
  std::int64_t stale_priorities = 0;  // of transitions that are gone, or of another generation
};

struct ReplayShardStatus {
  ReplayShardSize size;
  ReplayShardCounters counters;
  int waiting_samples = 0;        // callers
  std::int64_t held_inserts = 0;  // of callers, since this process began, for the rate limiter
  std::int64_t held_samples = 0;
  std::string insert_limit;  // why an insert would wait now; empty when it would not
  std::string sample_limit;
};

// InvalidArgument, which names the key, for a replay.insert_lead by which actors and learners would
// wait for each other.
Status CheckInsertLead(const LocalReplayOptions& options);

// Thread-safe. Rows are never changed once they are in, so samples and snapshots copy frames
// without the lock: they pin the chunks they read, and a pinned chunk is not used again. An insert
// never waits for them: when the oldest chunk is pinned, the next one makes room as well. Frames
// are compressed and uncompressed without the lock, too.
class ReplayShard final : public ReplayEndpoint {
 public:
  // Allocates everything up front. InvalidArgument names the configuration key at fault.
  static StatusOr<std::unique_ptr<ReplayShard>> Make(const ReplayShardOptions& options,
                                                     RandomStream random);
  // Bytes that Make will allocate.
  static std::int64_t ExpectedBytes(const ReplayShardOptions& options);

  // Does not wait.
  StatusOr<InsertReply> Insert(std::span<const RowRun> runs, Deadline deadline,
                               InsertLimit limit) override GORILA_EXCLUDES(mutex_);
  StatusOr<ReplayShardSize> Sample(int size, Deadline deadline, TransitionBatch& batch) override
      GORILA_EXCLUDES(mutex_);
  Status UpdatePriorities(std::int64_t generation, std::span<const std::uint64_t> keys,
                          std::span<const float> td_errors, Deadline deadline) override
      GORILA_EXCLUDES(mutex_);
  StatusOr<ReplayShardSize> GetSize(Deadline deadline) override GORILA_EXCLUDES(mutex_);

  ReplayShardStatus GetStatus() const GORILA_EXCLUDES(mutex_);
  const ReplayShardOptions& options() const { return options_; }

  // Ends all waits, present and future, with Unavailable.
  void Close() GORILA_EXCLUDES(mutex_);

  // Snapshots, while others insert and sample. One thread saves: SaveNewRows until it says that the
  // rest can wait, then SaveState, which is of exactly the rows in segments so far.
  struct SavedRows {
    std::int64_t rows = 0;         // in this segment; 0 = there was nothing new
    std::int64_t last_serial = 0;  // newest chunk in it: the segment is needed while it lives
    bool more = false;             // whether max_bytes ended it
  };
  SavedRows SaveNewRows(std::int64_t max_bytes, StateWriter& writer) GORILA_EXCLUDES(mutex_);
  // Gives the serial of the oldest living chunk. Segments with an older last_serial are not needed.
  std::int64_t SaveState(StateWriter& writer) const GORILA_EXCLUDES(mutex_);
  // After segments were lost: all rows are new again.
  void ForgetSaved() GORILA_EXCLUDES(mutex_);
  // Into a new shard, before it is used: the state, then every segment that is needed in the order
  // they were saved, then FinishRestore. DataLoss when a part is damaged or missing; then the shard
  // must not be used.
  Status RestoreState(StateReader& reader) GORILA_EXCLUDES(mutex_);
  Status RestoreRows(StateReader& reader) GORILA_EXCLUDES(mutex_);
  Status FinishRestore() GORILA_EXCLUDES(mutex_);

  void CheckInvariants() const GORILA_EXCLUDES(mutex_);

 private:
  using Streams = std::map<StreamName, std::shared_ptr<ChunkedStream>>;

  // The rows that a sample copies after releasing the lock.
  struct Plan {
    std::vector<Selector::Drawn> drawn;
    // Ids, for each transition: s_tm1's stack, then s_t's; for each unroll: the first state's
    // stack, then one of each later row.
    std::vector<std::uint32_t> frames;
    std::vector<std::uint32_t> pinned;  // chunks, some more than once
  };

  static constexpr std::uint32_t kNoFrame = 0xffffffff;  // one before its episode's first

  // Some rows of a run as they will be stored.
  struct StoredRows {
    std::int64_t first = 0;         // of them, in the run
    std::vector<std::size_t> ends;  // of each, in `bytes`; empty when frames are not compressed
    std::vector<std::byte> bytes;
    bool with_dictionary = false;
  };

  ReplayShard(const ReplayShardOptions& options, std::int64_t chunks, int chunk_rows,
              std::unique_ptr<Selector> selector, RandomStream random);

  // Used by inserts.
  Status CheckRun(const RowRun& run) const;
  Status CheckContinues(const RowRun& run) const GORILA_REQUIRES(mutex_);
  Status InsertRun(const RowRun& run, InsertLimit limit, InsertReply& reply)
      GORILA_EXCLUDES(mutex_);
  std::int64_t RowsAtOnce(const RowRun& run, std::int64_t done) const;
  void Pack(const RowRun& run, std::int64_t done, StoredRows& rows);
  StoredFrame FrameOf(const RowRun& run, const StoredRows& rows, std::int64_t row) const;
  StatusOr<std::int64_t> AppendSome(const RowRun& run, std::int64_t done, const StoredRows& stored,
                                    InsertLimit limit, InsertReply& reply) GORILA_REQUIRES(mutex_);
  StatusOr<std::shared_ptr<ChunkedStream>> StreamFor(const RowRun& run, std::int64_t index)
      GORILA_REQUIRES(mutex_);
  bool MakeRoom(const std::shared_ptr<ChunkedStream>& stream, std::size_t frame_bytes,
                InsertLimit limit) GORILA_REQUIRES(mutex_);
  ValueWindow MakeValues() const {
    const bool wanted = options_.replay.selector.initial_priorities;
    return wanted ? ValueWindow(options_.replay.transition.n_step) : ValueWindow();
  }
  Status CheckLogProbabilities(const RowRun& run) const;
  bool OldestIsQueued() const GORILA_REQUIRES(mutex_);
  void EvictOldest() GORILA_REQUIRES(mutex_);
  void AddIfComplete(const ChunkedStream& stream, std::int64_t index);  // under mutex_

  // Used by samples.
  bool CanInsert() const GORILA_REQUIRES(mutex_);
  bool CanSample(std::size_t size) const GORILA_REQUIRES(mutex_);
  std::int64_t SamplesAllowed() const GORILA_REQUIRES(mutex_);
  std::size_t MinibatchSize() const {
    return static_cast<std::size_t>(options_.replay.selector.minibatch);
  }
  std::string WhyNoInsert() const GORILA_REQUIRES(mutex_);
  std::string WhyNoSample(std::size_t size) const GORILA_REQUIRES(mutex_);
  std::int64_t QueuedSteps() const GORILA_REQUIRES(mutex_);
  void Draw(TransitionBatch& batch, Plan& plan) GORILA_REQUIRES(mutex_);
  void DrawTransition(const ChunkedStream& stream, std::int64_t start, std::size_t i,
                      TransitionBatch& batch, Plan& plan) GORILA_REQUIRES(mutex_);
  void DrawUnroll(const ChunkedStream& stream, std::int64_t start, std::size_t i,
                  TransitionBatch& batch, Plan& plan) GORILA_REQUIRES(mutex_);
  void PlanFrame(const ChunkedStream& stream, std::int64_t row, Plan& plan);  // under mutex_
  void Copy(const Plan& plan, TransitionBatch& batch);
  void CopyTransitions(const Plan& plan, FrameCodec* codec, TransitionBatch& batch) const;
  void CopyUnrolls(const Plan& plan, FrameCodec* codec, TransitionBatch& batch) const;
  void CopyFrame(std::uint32_t id, FrameCodec* codec, std::byte* destination) const;
  ReplayShardSize SizeNow() const GORILA_REQUIRES(mutex_);

  // Used by snapshots.
  struct Piece {
    std::int64_t serial;
    int begin;
    int end;
  };
  std::vector<Piece> NewRows(std::int64_t max_rows, bool& more) const GORILA_REQUIRES(mutex_);
  bool SavePiece(const Piece& piece, StateWriter& writer) GORILA_EXCLUDES(mutex_);
  void SaveBareStreams(StateWriter& writer) const GORILA_REQUIRES(mutex_);
  Status RestoreBareStreams(StateReader& reader) GORILA_REQUIRES(mutex_);
  std::vector<double> LargestPriorities() const GORILA_REQUIRES(mutex_);
  Status RestoreLargestPriorities(StateReader& reader) GORILA_REQUIRES(mutex_);
  void SaveName(const ChunkedStream& stream, StateWriter& writer) const;
  Status RestoreName(StateReader& reader, StreamName& name, int& game) const
      GORILA_REQUIRES(mutex_);
  Status RestoreChunk(StateReader& reader) GORILA_REQUIRES(mutex_);
  Status RestorePiece(StateReader& reader) GORILA_REQUIRES(mutex_);
  float SavedPriority(std::uint32_t slot, int offset) const GORILA_REQUIRES(mutex_);
  void RestoreDraw(std::uint32_t slot, int offset) GORILA_REQUIRES(mutex_);
  bool RestoreFrame(std::uint32_t id, std::span<const std::byte> frame) GORILA_REQUIRES(mutex_);
  std::uint32_t IdOf(std::uint32_t slot, int offset) const {
    return slot * static_cast<std::uint32_t>(store_.chunk_rows()) +
           static_cast<std::uint32_t>(offset);
  }

  const ReplayShardOptions options_;
  const std::unique_ptr<SharedPacking> packing_;  // null: frames are not compressed
  mutable Mutex mutex_;
  CondVar inserts_changed_;  // samples may proceed
  // Metadata is guarded by mutex_; frames of pinned chunks are read without it (see ChunkStore).
  ChunkStore store_;
  Streams streams_ GORILA_GUARDED_BY(mutex_);
  const std::unique_ptr<Selector> selector_;  // used under mutex_
  RateLimiter limiter_ GORILA_GUARDED_BY(mutex_);
  RandomStream random_ GORILA_GUARDED_BY(mutex_);
  ReplayShardCounters counters_ GORILA_GUARDED_BY(mutex_);
  std::int64_t rows_ GORILA_GUARDED_BY(mutex_) = 0;  // living
  int waiting_samples_ GORILA_GUARDED_BY(mutex_) = 0;
  std::int64_t held_inserts_ GORILA_GUARDED_BY(mutex_) = 0;
  std::int64_t held_samples_ GORILA_GUARDED_BY(mutex_) = 0;
  bool closed_ GORILA_GUARDED_BY(mutex_) = false;
  std::vector<float> restored_priorities_ GORILA_GUARDED_BY(mutex_);  // by id; only in a restore
  int restored_games_ GORILA_GUARDED_BY(mutex_) = 1;                  // likewise
};

}  // namespace gorila

#endif  // GORILA_REPLAY_REPLAY_SHARD_H_
