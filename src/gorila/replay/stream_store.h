// The frames and rows of one environment's stream, each stored once, in a ring.
#ifndef GORILA_REPLAY_STREAM_STORE_H_
#define GORILA_REPLAY_STREAM_STORE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/env/environment.h"
#include "gorila/replay/transition.h"
#include "gorila/replay/transition_rows.h"

namespace gorila {

// Rows are addressed by their index since the stream began; begin() <= index < end(). A stack of
// frames is rebuilt on demand: frames before the episode's first are zero, as DQN's are. Not
// thread-safe.
class StreamStore {
 public:
  StreamStore(const ObservationSpec& observation, std::int64_t capacity);

  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t Slot(std::int64_t index) const { return index % capacity_; }
  bool full() const { return end_ - begin_ == capacity_; }

  // InvalidArgument when the frame has another size, or kFirst / kLast do not alternate. An empty
  // store takes any row: an actor that was restored without its replay goes on in mid-episode.
  Status CheckRow(const ReplayRow& row) const;
  void Append(const ReplayRow& row);  // not full
  void DropOldest() { ++begin_; }     // not empty

  const TimeStep& time_step(std::int64_t index) const { return time_steps_[Position(index)]; }
  std::int32_t action(std::int64_t index) const { return actions_[Position(index)]; }
  const std::byte* Frame(std::int64_t index) const {
    return &frames_[Position(index) * frame_bytes_];
  }

  // Copies the `stack` frames that end at `index` (stacked_bytes).
  void CopyStack(std::int64_t index, std::byte* destination) const;

  // As the template of this name (transition_rows.h).
  int StackDepth(std::int64_t index) const { return gorila::StackDepth(*this, index, stack_); }

  // Up to `count` living rows from `first` on, for a checkpoint's segment. Returns the row after
  // the last one saved.
  std::int64_t SaveRows(std::int64_t first, std::int64_t count, StateWriter& writer) const;
  // Sets which rows are alive; RestoreRows brings them.
  void ResetRange(std::int64_t begin, std::int64_t end);
  // Takes the living rows of one segment; the segments come in the order they were saved. DataLoss
  // when this one is truncated, or leaves rows out after the one before it, or holds one again.
  Status RestoreRows(StateReader& reader);
  // DataLoss unless every row of begin()..end()-1 was restored.
  Status CheckComplete() const;

  static std::size_t BytesPerRow(const ObservationSpec& observation);

 private:
  std::size_t Position(std::int64_t index) const { return static_cast<std::size_t>(Slot(index)); }
  std::byte* MutableFrame(std::int64_t index) { return &frames_[Position(index) * frame_bytes_]; }

  const std::size_t frame_bytes_;
  const int stack_;
  const std::int64_t capacity_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t restored_until_ = 0;  // rows before this were taken by RestoreRows since ResetRange
  std::vector<std::byte> frames_;
  std::vector<TimeStep> time_steps_;
  std::vector<std::int32_t> actions_;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_STREAM_STORE_H_
