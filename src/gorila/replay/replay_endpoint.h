// One shard of a global replay (paper section 4.1) as its clients see it: in this process, or far
// away.
#ifndef GORILA_REPLAY_REPLAY_ENDPOINT_H_
#define GORILA_REPLAY_REPLAY_ENDPOINT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/replay/chunk_store.h"
#include "gorila/replay/transition.h"

namespace gorila {

// Consecutive rows of one stream. Views; the frames follow one another.
struct RowRun {
  StreamName stream;
  int game = 0;            // ReplayRow::game of the stream
  std::int64_t first = 0;  // number of the first row in its stream, from 0
  std::span<const TimeStep> time_steps = {};
  std::span<const std::int32_t> actions = {};
  std::span<const std::byte> frames = {};
  std::span<const RowValues> values = {};         // one for each row, or none
  std::span<const float> log_probabilities = {};  // likewise; shards of unrolls need them
};

// The outcome of an insert's rows. Those that are neither were not taken: `waiting` says why, and
// the same rows may be sent again.
struct InsertReply {
  std::int64_t accepted = 0;
  std::int64_t repeated = 0;  // rows that had been accepted before
  std::string waiting = {};   // empty when all rows were taken
};

// Whether an insert keeps to the rate limiter. Rows that come when a run has its frames do not:
// who would sample for them may have ended.
enum class InsertLimit { kKept, kLifted };

// The figures by which a client divides its samples among shards.
struct ReplayShardSize {
  std::int64_t generation = 0;   // of the shard's process; keys are only known to this one
  std::int64_t transitions = 0;  // complete ones
  std::int64_t rows = 0;
  std::int64_t capacity = 0;
  double mass = 0;            // priority mass; the number of transitions when drawn uniformly
  std::int64_t allowed = 0;   // minibatches that the rate limiter would let pass now
  std::int64_t inserted = 0;  // time steps with an action, since the shard's beginning
  std::int64_t sampled = 0;   // minibatches, likewise
  bool inserts_wait = false;  // whether the rate limiter would hold an insert now
};

// All methods are thread-safe and block at most until their deadline.
class ReplayEndpoint {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  virtual ~ReplayEndpoint() = default;

  // Appends rows; those that came before are passed over, so that an insert may be repeated. Rows
  // whose predecessors never came begin anew: nothing joins them with what was before.
  // InvalidArgument when a row cannot be: then none is taken. Rows that the rate limiter holds are
  // not waited for: the reply says so, and GetSize when they may come again.
  virtual StatusOr<InsertReply> Insert(std::span<const RowRun> runs, Deadline deadline,
                                       InsertLimit limit) = 0;

  // Fills `batch`, drawn with replacement, and says what the shard then is. DeadlineExceeded, with
  // the reason, when the rate limiter did not allow it in time, or too many wait already.
  virtual StatusOr<ReplayShardSize> Sample(int size, Deadline deadline, TransitionBatch& batch) = 0;

  // As Replay::UpdatePriorities; of another generation than the shard's they are passed over.
  virtual Status UpdatePriorities(std::int64_t generation, std::span<const std::uint64_t> keys,
                                  std::span<const float> td_errors, Deadline deadline) = 0;

  virtual StatusOr<ReplayShardSize> GetSize(Deadline deadline) = 0;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_REPLAY_ENDPOINT_H_
