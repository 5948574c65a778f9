// The global replay memory (paper section 4.1) as an actor or a learner sees it: several shards as
// one Replay.
#ifndef GORILA_REPLAY_SHARDED_REPLAY_H_
#define GORILA_REPLAY_SHARDED_REPLAY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/random.h"
#include "gorila/base/runtime.h"
#include "gorila/env/environment.h"
#include "gorila/replay/replay.h"
#include "gorila/replay/replay_endpoint.h"
#include "gorila/replay/selector.h"

namespace gorila {

struct ShardedReplayOptions {
  std::int32_t actor = 0;  // of inserts: its index among all actors
  std::uint64_t life = 0;  // drawn at random by this process
  int streams = 1;         // environments of this actor; a learner has none to insert
  int games = 1;           // of the run
  std::size_t frame_bytes = 0;
  int insert_rows = 64;  // of one stream, sent together
  bool values = false;   // whether rows' values go with them
  // T: log-probabilities go with rows, and rows are sent as soon as they end an unroll, unless they
  // are only a few; 0: the shards serve transitions.
  int unroll = 0;
  bool prioritized = false;  // whether the shards want to know TD errors
  // Whether the shards are queues, which hold actors until they are drawn from: then a sample does
  // not wait at one of them while another may have a minibatch.
  bool draws_once = false;
  std::chrono::milliseconds call{10'000};  // one call waits so long
  // Then an insert or a sample gives up: since a shard inserted or sampled anything for anybody.
  std::chrono::milliseconds patience{600'000};
  // Before a shard that is down is asked again; doubles up to 16 times this. Also how long such a
  // question, and a sample at one shard, may take.
  std::chrono::milliseconds retry{1'000};
  std::function<bool()> stop = {};  // asked several times a second; may be empty
  // Whether the run has its frames: the rate limiter holds no insert then. May be empty: never.
  std::function<bool()> over = {};
  std::function<void(std::string_view)> message = {};  // a shard went away, or is back
};

// Since the process began. Every row given to Insert is accepted, lost or still to be sent.
struct ShardedReplayCounters {
  std::int64_t rows = 0;          // given to Insert
  std::int64_t accepted = 0;      // by a shard
  std::int64_t lost = 0;          // on their way to a shard that went away
  std::int64_t samples = 0;       // minibatches
  std::int64_t failures = 0;      // calls that a shard did not answer
  std::int64_t insert_waits = 0;  // inserts that a shard did not take at once
  std::int64_t sample_waits = 0;  // calls that the rate limiter held up to their deadline
};

// Each stream goes to one shard, its home, and when that is down to the next one until an episode
// begins after it is back. Each minibatch comes from one shard, drawn in proportion to priority
// mass (size, where the selector is uniform) among those whose rate limiter lets a sample pass;
// when none does, the call waits at one. Rows whose fate is not known are not sent to another
// shard.
//
// Insert blocks now and then, Sample always. One thread inserts; the rest is thread-safe.
class ShardedReplay final : public Replay {
 public:
  // `shards`: at least one; more than one process may use them.
  ShardedReplay(const ShardedReplayOptions& options,
                std::vector<std::unique_ptr<ReplayEndpoint>> shards, RandomStream random);

  // Errors are final: a shard refused the rows, the wait was longer than `patience` (Unavailable
  // or DeadlineExceeded), or `stop` (Cancelled).
  Status Insert(int stream, const ReplayRow& row) override GORILA_EXCLUDES(mutex_);
  // Sends what was kept back to be sent together.
  Status Flush() GORILA_EXCLUDES(mutex_);

  bool CanSample() const override GORILA_EXCLUDES(mutex_);
  Status Sample(int size, TransitionBatch& batch) override GORILA_EXCLUDES(mutex_);
  // A shard that does not answer is not an error: priorities are hints.
  Status UpdatePriorities(const TransitionBatch& sampled, std::span<const float> td_errors) override
      GORILA_EXCLUDES(mutex_);
  // Totals of all shards, as of their last answers.
  ReplaySize Size() const override GORILA_EXCLUDES(mutex_);

  ShardedReplayCounters counters() const GORILA_EXCLUDES(mutex_);
  // Whether no shard would let a minibatch pass, as of answers after `time`; of a shard that is
  // down, as of its last.
  bool NoneAllowedSince(std::chrono::steady_clock::time_point time) const GORILA_EXCLUDES(mutex_);
  // Whether an insert waits for the rate limiter now.
  bool insert_held() const GORILA_EXCLUDES(mutex_);
  // Why the last call waited; empty when it did not.
  std::string waiting() const GORILA_EXCLUDES(mutex_);

 private:
  using Clock = std::chrono::steady_clock;

  // One stream of this actor with the rows that were not sent yet.
  struct Stream {
    int game = -1;           // of its rows; not known before the first
    std::int64_t next = 0;   // number of the next row that Insert gets
    std::int64_t first = 0;  // number of the first one below
    std::vector<TimeStep> time_steps;
    std::vector<std::int32_t> actions;
    std::vector<std::byte> frames;
    std::vector<RowValues> values;         // empty unless they are sent
    std::vector<float> log_probabilities;  // likewise
    std::size_t home = 0;                  // shard
    std::size_t shard = 0;                 // where its rows go now
  };
  struct Shard {
    bool down = false;
    int failures = 0;              // since the last answer
    Clock::time_point retry_at{};  // of one that is down
    ReplayShardSize size;
    bool known = false;               // whether `size` is an answer's
    Clock::time_point answered_at{};  // with it
  };

  // An insert or a sample that cannot be done yet.
  struct Wait {
    Clock::time_point give_up;
    std::int64_t progress = 0;  // of the shards, when give_up was set
    int turns = 0;              // pauses since the last success
    bool held = false;          // whether a shard did not take rows
  };

  Status Send(Stream& stream) GORILA_EXCLUDES(mutex_);
  Status TakeReply(Stream& stream, const InsertReply& reply, Wait& wait) GORILA_EXCLUDES(mutex_);
  void Lose(Stream& stream, std::size_t shard, const Status& status) GORILA_EXCLUDES(mutex_);
  bool StillHeld(std::size_t shard) GORILA_EXCLUDES(mutex_);
  bool IsDue(const Stream& stream) const;
  void DropRows(Stream& stream, std::int64_t rows) const;
  std::size_t Route(const Stream& stream) GORILA_EXCLUDES(mutex_);
  std::size_t ChooseShard() GORILA_EXCLUDES(mutex_);
  bool Usable(std::size_t shard) const GORILA_REQUIRES(mutex_);
  bool Ask(std::size_t shard) GORILA_EXCLUDES(mutex_);
  void LearnSizes() GORILA_EXCLUDES(mutex_);
  void LookForMinibatch() GORILA_EXCLUDES(mutex_);
  void ForgetSizes() GORILA_EXCLUDES(mutex_);
  void NoteHeldSample(const std::string& reason) GORILA_EXCLUDES(mutex_);
  void Answered(std::size_t shard) GORILA_EXCLUDES(mutex_);
  void NoteSize(std::size_t shard, const ReplayShardSize& size) GORILA_REQUIRES(mutex_);
  void Failed(std::size_t shard, const Status& status) GORILA_EXCLUDES(mutex_);
  bool IsAway(const Status& status) const;
  bool Stopped() const { return options_.stop && options_.stop(); }
  bool Over() const { return options_.over && options_.over(); }
  Wait BeginWait() const GORILA_EXCLUDES(mutex_);
  Status CheckGoOn(Wait& wait, const std::string& reason) const GORILA_EXCLUDES(mutex_);
  Status Pause(Wait& wait, const std::string& reason) GORILA_EXCLUDES(mutex_);
  Clock::time_point CallDeadline() const { return SteadyNow() + options_.call; }

  const ShardedReplayOptions options_;
  const std::vector<std::unique_ptr<ReplayEndpoint>> shards_;
  std::vector<Stream> streams_;  // of the inserting thread

  mutable Mutex mutex_;                            // not held during a call
  RandomStream random_ GORILA_GUARDED_BY(mutex_);  // chooses shards to sample
  std::vector<Shard> states_ GORILA_GUARDED_BY(mutex_);
  ShardedReplayCounters counters_ GORILA_GUARDED_BY(mutex_);
  std::string waiting_ GORILA_GUARDED_BY(mutex_);
  bool insert_held_ GORILA_GUARDED_BY(mutex_) = false;
  std::int64_t progress_ GORILA_GUARDED_BY(mutex_) = 0;  // answers that showed any
};

}  // namespace gorila

#endif  // GORILA_REPLAY_SHARDED_REPLAY_H_
