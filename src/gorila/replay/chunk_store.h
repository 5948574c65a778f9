// The rows of many streams that come and go, in chunks of equal size which are used again in the
// order of their age.
#ifndef GORILA_REPLAY_CHUNK_STORE_H_
#define GORILA_REPLAY_CHUNK_STORE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gorila/env/environment.h"
#include "gorila/replay/frame_codec.h"
#include "gorila/replay/packed_pages.h"
#include "gorila/replay/transition.h"
#include "gorila/replay/value_window.h"

namespace gorila {

// One environment of one life of an actor. A restarted actor draws another `life`, so that what it
// was doing before is another stream.
struct StreamName {
  std::int32_t actor = 0;
  std::uint64_t life = 0;  // drawn at random by the actor's process
  std::int32_t stream = 0;

  auto operator<=>(const StreamName&) const = default;  // NOLINT(modernize-use-nullptr)
};

class ChunkedStream;

// Rows of one stream, one after another.
struct RowChunk {
  std::shared_ptr<ChunkedStream> stream;  // null when it holds none
  std::int64_t serial = -1;               // counts uses of chunks; larger = newer
  std::int64_t first = 0;                 // number of its first row in the stream
  int count = 0;                          // rows
  int saved = 0;                          // of them, in segments already
  int pins = 0;                           // who still reads it without the lock
  PageChain frames = {};                  // when they are compressed
};

// Memory for compressed frames; none when they are not.
struct PackedSpace {
  std::size_t pages = 0;
  std::size_t page_bytes = 0;
};

// A frame as it is stored: its bytes, or what FrameCodec::Pack made of them.
struct StoredFrame {
  std::span<const std::byte> bytes;
  bool with_dictionary = false;
};

// Memory for a fixed number of rows, allocated up front. Not thread-safe, but for one thing: frames
// of a pinned chunk may be read while others append rows. A row is addressed by its id = chunk slot
// * chunk_rows + offset.
class ChunkStore {
 public:
  // `log_probabilities`: whether those of rows are kept.
  ChunkStore(const ObservationSpec& observation, std::int64_t chunks, int chunk_rows,
             const PackedSpace& packed = {}, bool log_probabilities = false);

  int chunk_rows() const { return chunk_rows_; }
  std::size_t chunks() const { return chunks_.size(); }
  RowChunk& chunk(std::uint32_t slot) { return chunks_[slot]; }
  const RowChunk& chunk(std::uint32_t slot) const { return chunks_[slot]; }
  std::uint32_t SlotOf(std::uint32_t id) const {
    return id / static_cast<std::uint32_t>(chunk_rows_);
  }

  // Whether a chunk (kNoChunk: one that was just taken into use) has room for so large a frame.
  bool HasRoom(std::uint32_t slot, std::size_t size) const;
  static constexpr std::uint32_t kNoChunk = 0xffffffff;
  // The frame of a row whose chunk has room; those of a chunk come in their order.
  void StoreFrame(std::uint32_t id, const StoredFrame& frame);
  // Copies a frame (frame_bytes). `codec` may be null when frames are not compressed, `dictionary`
  // when none was used.
  void CopyFrame(std::uint32_t id, FrameCodec* codec, const FrameDictionary* dictionary,
                 std::byte* destination) const;
  TimeStep& time_step(std::uint32_t id) { return time_steps_[id]; }
  const TimeStep& time_step(std::uint32_t id) const { return time_steps_[id]; }
  std::int32_t& action(std::uint32_t id) { return actions_[id]; }
  std::int32_t action(std::uint32_t id) const { return actions_[id]; }
  bool keeps_log_probabilities() const { return !log_probabilities_.empty(); }
  float& log_probability(std::uint32_t id) { return log_probabilities_[id]; }
  float log_probability(std::uint32_t id) const { return log_probabilities_[id]; }
  std::size_t frame_bytes() const { return frame_bytes_; }

  // Living chunks, oldest first; their serials follow each other without a gap.
  const std::deque<std::uint32_t>& living() const { return living_; }
  // The living chunk of this serial.
  std::optional<std::uint32_t> FindLiving(std::int64_t serial) const;

  // Whether Use() can be called: a chunk neither lives nor is pinned.
  bool has_free() const { return !free_.empty(); }
  // Makes a free chunk the newest one of `stream`, from its row end() on.
  std::uint32_t Use(const std::shared_ptr<ChunkedStream>& stream);
  // The oldest chunk leaves its stream. It is free once nobody pins it. Not when none is living.
  void DropOldest();

  void Pin(std::uint32_t slot) { ++chunks_[slot].pins; }
  void Unpin(std::uint32_t slot);

  // Before anything was used: chunks begin with this serial.
  void SetNextSerial(std::int64_t serial) { next_serial_ = serial; }
  std::int64_t next_serial() const { return next_serial_; }

  // Bytes of an uncompressed row, and of a compressed one without its frame; both without its
  // log-probability.
  static std::int64_t BytesPerRow(const ObservationSpec& observation);
  static std::int64_t PackedBytesPerRow();
  void CheckInvariants() const;

 private:
  void SetFree(std::uint32_t slot);

  const std::size_t frame_bytes_;
  const int chunk_rows_;
  std::int64_t next_serial_ = 0;
  std::vector<RowChunk> chunks_;
  std::vector<std::uint32_t> free_;
  std::deque<std::uint32_t> living_;
  std::vector<std::byte> frames_;           // uncompressed
  PackedPages pages_;                       // compressed
  std::vector<PackedFrame> packed_frames_;  // compressed
  std::vector<TimeStep> time_steps_;
  std::vector<std::int32_t> actions_;
  std::vector<float> log_probabilities_;  // empty: not kept
};

// The living rows of one stream (the Rows of transition_rows.h). All its chunks but the last are
// full.
class ChunkedStream {
 public:
  // The next row will be number `first`.
  ChunkedStream(const StreamName& name, ChunkStore& store, std::int64_t first,
                ValueWindow values = {}, int game = 0)
      : name_(name),
        store_(store),
        game_(game),
        begin_(first),
        end_(first),
        values_(std::move(values)) {}

  const StreamName& name() const { return name_; }
  int game() const { return game_; }  // ReplayRow::game
  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }
  const TimeStep& time_step(std::int64_t index) const { return store_.time_step(Id(index)); }
  std::int32_t action(std::int64_t index) const { return store_.action(Id(index)); }
  float log_probability(std::int64_t index) const { return store_.log_probability(Id(index)); }
  std::uint32_t Id(std::int64_t index) const {
    const std::int64_t offset = index - begin_;
    const std::uint32_t slot = slots_[static_cast<std::size_t>(offset / store_.chunk_rows())];
    return slot * static_cast<std::uint32_t>(store_.chunk_rows()) +
           static_cast<std::uint32_t>(offset % store_.chunk_rows());
  }

  bool has_chunks() const { return !slots_.empty(); }
  // Rows that still fit into the last chunk.
  int room() const { return slots_.empty() ? 0 : store_.chunk_rows() - Last().count; }
  // Whether the last chunk, or a new one when it is full, has room for so large a frame.
  bool HasRoomFor(std::size_t size) const {
    return store_.HasRoom(room() > 0 ? slots_.back() : ChunkStore::kNoChunk, size);
  }
  // Takes one row; room() must be above 0, and HasRoomFor true.
  void Append(const StoredFrame& frame, const TimeStep& time_step, std::int32_t action,
              float log_probability = 0);
  // Row end() - 1 + n exists from now on; its contents come by other means (a restore).
  void Grow(int rows);

  // What starts before this row was drawn before a restart, also where its last rows come after it.
  std::int64_t drawn_until() const { return drawn_until_; }
  void SetDrawnUntil(std::int64_t index) { drawn_until_ = index; }

  ValueWindow& values() { return values_; }
  const ValueWindow& values() const { return values_; }

 private:
  friend class ChunkStore;
  RowChunk& Last() { return store_.chunk(slots_.back()); }
  const RowChunk& Last() const { return store_.chunk(slots_.back()); }

  const StreamName name_;
  ChunkStore& store_;
  const int game_;
  std::int64_t begin_;  // the first row of slots_.front()
  std::int64_t end_;
  std::int64_t drawn_until_ = 0;
  std::deque<std::uint32_t> slots_;
  ValueWindow values_;  // not part of snapshots
};

}  // namespace gorila

#endif  // GORILA_REPLAY_CHUNK_STORE_H_
