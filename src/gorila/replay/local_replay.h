// Local replay memory (paper section 4.1): the experience of one bundle's actor, kept on its
// machine.
#ifndef GORILA_REPLAY_LOCAL_REPLAY_H_
#define GORILA_REPLAY_LOCAL_REPLAY_H_

#include <memory>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/replay/rate_limiter.h"
#include "gorila/replay/replay.h"
#include "gorila/replay/selector.h"
#include "gorila/replay/stream_store.h"
#include "gorila/replay/value_window.h"

namespace gorila {

struct LocalReplayOptions {
  std::int64_t capacity =
      100000;  // time steps over all streams; rounded down to a multiple of them
  TransitionOptions transition = {};
  RateLimiter::Options rate = {};
  SelectorOptions selector = {};
  FrameStorageOptions frames = {};
  int games = 1;  // of the run; each has the same share of what is drawn
};

// What must be in the queue for a minibatch.
inline std::int64_t FreshInMinibatch(const LocalReplayOptions& options) {
  return static_cast<std::int64_t>(
      FreshOf(options.selector, static_cast<std::size_t>(options.selector.minibatch)));
}

// One ring of rows per stream and one selector over all complete transitions. A transition is
// complete once its n-th next row is there, or its episode's last. Used by one thread at a time.
class LocalReplay final : public Replay {
 public:
  // Allocates everything up front. InvalidArgument when a stream would hold too few rows for one
  // transition, named with the numbers.
  static StatusOr<std::unique_ptr<LocalReplay>> Make(const LocalReplayOptions& options,
                                                     const ObservationSpec& observation,
                                                     int streams, RandomStream random);

  // Bytes that Make will allocate.
  static std::int64_t ExpectedBytes(const LocalReplayOptions& options,
                                    const ObservationSpec& observation, int streams);

  Status Insert(int stream, const ReplayRow& row) override;
  bool CanSample() const override;
  Status Sample(int size, TransitionBatch& batch) override;
  Status UpdatePriorities(const TransitionBatch& sampled,
                          std::span<const float> td_errors) override;
  ReplaySize Size() const override;

  // Bytes that the frames of all rows take.
  std::int64_t FrameBytes() const;
  const RateLimiter& limiter() const { return limiter_; }

  // Checkpointing. Rows are immutable, so a checkpoint saves those since the last one as segments
  // and everything that changes as a state.
  //
  // Writes the next segment of rows that no segment has yet (at most `max_bytes` of them, but at
  // least one row a stream); false when there are none left.
  bool SaveNewRows(std::int64_t max_bytes, StateWriter& writer);
  void SaveState(StateWriter& writer) const;
  // RestoreState first, then every segment that covers living rows in the order they were saved,
  // then FinishRestore. DataLoss when a part is damaged or missing, or the parts do not belong
  // together; then the replay must not be used. What was saved with another kind of frame storage
  // is taken too; rows that do not fit any more are dropped, oldest first.
  Status RestoreState(StateReader& reader);
  Status RestoreRows(StateReader& reader);
  Status FinishRestore();
  // Per stream: the oldest row that is alive, and the row after the last one in a segment. A
  // segment all of whose rows are before the former is no longer needed.
  struct SavedRange {
    std::int64_t begin = 0;
    std::int64_t saved_until = 0;
  };
  std::vector<SavedRange> SavedRanges() const;

  void CheckInvariants() const;

 private:
  LocalReplay(const LocalReplayOptions& options, const ObservationSpec& observation, int streams,
              std::unique_ptr<Selector> selector, RandomStream random);
  // Bytes of each stream's compressed frames.
  static std::int64_t PackedBytes(const LocalReplayOptions& options,
                                  const ObservationSpec& observation, int streams);

  std::uint32_t Id(int stream, std::int64_t index) const;
  std::int64_t IndexOf(std::uint32_t id) const;
  void Evict(int stream);
  void Complete(int stream);
  Status RestoreStreams(StateReader& reader);
  Status RestorePacking(StateReader& reader);
  bool IsComplete(int stream, std::int64_t index) const;
  void AddIfComplete(int stream, std::int64_t index);
  Status CheckSelector() const;
  Status WhyNoSample() const;
  void BuildTransition(const Selector::Drawn& drawn, std::size_t i, TransitionBatch& batch) const;

  const LocalReplayOptions options_;
  const ObservationSpec observation_;
  const std::int64_t rows_per_stream_;
  std::unique_ptr<FramePacker> packer_;  // null: frames are not compressed
  std::vector<ValueWindow> values_;      // of each stream; empty without initial priorities
  std::vector<StreamStore> streams_;
  std::vector<std::int64_t> saved_until_;  // per stream: rows before this are in segments
  const std::unique_ptr<Selector> selector_;
  RateLimiter limiter_;
  RandomStream random_;
  std::vector<Selector::Drawn> drawn_;  // of the present Sample
};

}  // namespace gorila

#endif  // GORILA_REPLAY_LOCAL_REPLAY_H_
