// The frames and rows of one environment's stream, each stored once, in a ring.
#ifndef GORILA_REPLAY_STREAM_STORE_H_
#define GORILA_REPLAY_STREAM_STORE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/env/environment.h"
#include "gorila/replay/frame_codec.h"
#include "gorila/replay/transition.h"
#include "gorila/replay/transition_rows.h"

namespace gorila {

// Compressed frames of several sizes in a ring of bytes. Positions count the bytes ever written; a
// frame that begins before the ring's end continues in one piece beyond it.
class PackedRing {
 public:
  // Room for `bytes` (0: not used), each frame of at most `most`.
  PackedRing(std::int64_t bytes, std::size_t most)
      : bytes_(static_cast<std::uint64_t>(bytes)), memory_(bytes > 0 ? bytes_ + most : 0) {}

  bool HasRoom(std::size_t size) const { return end_ - begin_ + size <= bytes_; }
  // Gives the frame's position. HasRoom must be true.
  std::uint64_t Append(std::span<const std::byte> frame);
  std::span<const std::byte> Get(std::uint64_t begin, std::uint64_t end) const {
    return std::span(memory_).subspan(begin % bytes_, end - begin);
  }
  // Frames before `position` go.
  void DropBefore(std::uint64_t position) { begin_ = position; }
  std::uint64_t end() const { return end_; }
  std::uint64_t size() const { return end_ - begin_; }  // bytes

 private:
  const std::uint64_t bytes_;
  std::vector<std::byte> memory_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

// Rows are addressed by their index since the stream began; begin() <= index < end(). A stack of
// frames is rebuilt on demand: frames before the episode's first are zero, as DQN's are. Not
// thread-safe.
class StreamStore {
 public:
  // `log_probabilities`: whether those of rows are kept.
  StreamStore(const ObservationSpec& observation, std::int64_t capacity,
              bool log_probabilities = false);
  // Keeps frames compressed in `packed_bytes` and no more: at least as many as the fewest rows that
  // must be alive at once take at worst. `packer` is shared by the streams of one replay.
  StreamStore(const ObservationSpec& observation, std::int64_t capacity, FramePacker& packer,
              std::int64_t packed_bytes, bool log_probabilities = false);

  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t Slot(std::int64_t index) const { return index % capacity_; }
  bool full() const { return end_ - begin_ == capacity_; }
  // Bytes of the frames of all rows.
  std::int64_t FrameBytes() const {
    return packer_ != nullptr ? static_cast<std::int64_t>(ring_.size())
                              : (end_ - begin_) * static_cast<std::int64_t>(frame_bytes_);
  }

  // ReplayRow::game of all rows; 0 before the first.
  int game() const { return std::max(game_, 0); }

  // InvalidArgument when the frame has another size, the game is another than that of the rows
  // before, or kFirst / kLast do not alternate. An empty
  // store takes any row: an actor that was restored without its replay continues in mid-episode.
  Status CheckRow(const ReplayRow& row) const;
  // Calls drop_oldest, which must call DropOldest, until there is room for the row.
  void Append(const ReplayRow& row, const std::function<void()>& drop_oldest);
  void DropOldest();  // not when empty

  const TimeStep& time_step(std::int64_t index) const { return time_steps_[Position(index)]; }
  std::int32_t action(std::int64_t index) const { return actions_[Position(index)]; }
  float log_probability(std::int64_t index) const { return log_probabilities_[Position(index)]; }
  // Copies one frame (frame_bytes).
  void CopyFrame(std::int64_t index, std::byte* destination) const;
  // Copies the `stack` frames that end at `index` (stacked_bytes).
  void CopyStack(std::int64_t index, std::byte* destination) const;
  // Those of a transition's two states, start <= end of one episode; a frame of both is read once.
  void CopyStacks(std::int64_t start, std::int64_t end, std::byte* s_tm1, std::byte* s_t) const;
  // Those of the states of rows `first` to `last`, one after another; each frame is read once.
  void CopyUnroll(std::int64_t first, std::int64_t last, std::byte* states) const;

  // As the template of this name (transition_rows.h).
  int StackDepth(std::int64_t index) const { return gorila::StackDepth(*this, index, stack_); }

  // Up to `count` living rows from `first` on, for a checkpoint's segment. Returns the row after
  // the last one saved.
  std::int64_t SaveRows(std::int64_t first, std::int64_t count, StateWriter& writer) const;
  // Which of them were packed without the packer's dictionary; nothing when nothing is packed.
  void SavePacking(StateWriter& writer) const;
  // Sets which rows are alive and of which game; RestoreRows brings them.
  void ResetRange(std::int64_t begin, std::int64_t end, int game = 0);
  Status RestorePacking(StateReader& reader);
  // Takes the living rows of one segment; the segments come in the order they were saved. DataLoss
  // when this one is truncated, or leaves rows out after the one before it, or holds one again.
  // `drop_oldest` as in Append: the rows may have come from a store with more room.
  Status RestoreRows(StateReader& reader, const std::function<void()>& drop_oldest);
  // DataLoss unless every row of begin()..end()-1 was restored.
  Status CheckComplete() const;

  // Bytes of an uncompressed row without its log-probability.
  static std::size_t BytesPerRow(const ObservationSpec& observation);
  // Bytes of a compressed row without its frame.
  static std::size_t PackedBytesPerRow() {
    return sizeof(TimeStep) + sizeof(std::int32_t) + sizeof(std::uint64_t);
  }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  std::size_t Position(std::int64_t index) const { return static_cast<std::size_t>(Slot(index)); }
  bool WithDictionary(std::int64_t index) const { return index >= dictionary_from_; }
  std::span<const std::byte> Packed(std::int64_t index) const;
  // The frame of row `index`; rows before it have theirs, and none after it. `learn`: the packer
  // sees it for the first time.
  void StoreFrame(std::int64_t index, std::span<const std::byte> frame, bool learn,
                  const std::function<void()>& drop_oldest);

  const std::size_t frame_bytes_;
  const int stack_;
  const std::int64_t capacity_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  int game_ = -1;                    // not known before the first row
  std::int64_t restored_until_ = 0;  // rows before this were taken by RestoreRows since ResetRange
  std::vector<std::byte> frames_;    // uncompressed
  FramePacker* const packer_ = nullptr;  // null: uncompressed
  PackedRing ring_;
  std::vector<std::uint64_t> positions_;   // in the ring, of each row
  std::int64_t stored_until_ = 0;          // rows before this are in the ring
  std::int64_t dictionary_from_ = kNever;  // rows from this on were packed with the dictionary
  bool packing_restored_ = false;
  std::vector<TimeStep> time_steps_;
  std::vector<std::int32_t> actions_;
  std::vector<float> log_probabilities_;  // empty: not kept
};

}  // namespace gorila

#endif  // GORILA_REPLAY_STREAM_STORE_H_
