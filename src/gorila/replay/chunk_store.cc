#include "gorila/replay/chunk_store.h"

#include <cstring>

#include "gorila/base/status.h"
#include "gorila/replay/stream_store.h"

namespace gorila {

ChunkStore::ChunkStore(const ObservationSpec& observation, std::int64_t chunks, int chunk_rows,
                       const PackedSpace& packed, bool log_probabilities)
    : frame_bytes_(observation.frame_bytes()),
      chunk_rows_(chunk_rows),
      chunks_(static_cast<std::size_t>(chunks)),
      pages_(packed.pages, packed.page_bytes) {
  GORILA_CHECK(chunks >= 1 && chunk_rows >= 1, "{} chunks of {} rows", chunks, chunk_rows);
  const std::size_t rows = chunks_.size() * static_cast<std::size_t>(chunk_rows);
  GORILA_CHECK(rows < 0xffffffff, "{} rows", rows);
  if (packed.pages > 0) {
    packed_frames_.resize(rows);
  } else {
    frames_.resize(rows * frame_bytes_);
  }
  time_steps_.resize(rows);
  actions_.resize(rows);
  if (log_probabilities) log_probabilities_.resize(rows);
  for (std::size_t slot = chunks_.size(); slot > 0; --slot) {
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
  }
}

std::int64_t ChunkStore::BytesPerRow(const ObservationSpec& observation) {
  return static_cast<std::int64_t>(StreamStore::BytesPerRow(observation));
}

std::int64_t ChunkStore::PackedBytesPerRow() {
  return sizeof(TimeStep) + sizeof(std::int32_t) + sizeof(PackedFrame);
}

bool ChunkStore::HasRoom(std::uint32_t slot, std::size_t size) const {
  if (packed_frames_.empty()) return true;
  return pages_.HasRoom(slot == kNoChunk ? PageChain{} : chunks_[slot].frames, size);
}

void ChunkStore::StoreFrame(std::uint32_t id, const StoredFrame& frame) {
  if (packed_frames_.empty()) {
    std::memcpy(&frames_[id * frame_bytes_], frame.bytes.data(), frame_bytes_);
  } else {
    packed_frames_[id] =
        pages_.Append(chunks_[SlotOf(id)].frames, frame.bytes, frame.with_dictionary);
  }
}

void ChunkStore::CopyFrame(std::uint32_t id, FrameCodec* codec, const FrameDictionary* dictionary,
                           std::byte* destination) const {
  if (packed_frames_.empty()) {
    std::memcpy(destination, &frames_[id * frame_bytes_], frame_bytes_);
    return;
  }
  const PackedFrame& frame = packed_frames_[id];
  codec->Unpack(pages_.Get(frame, codec->scratch()),
                frame.with_dictionary != 0 ? dictionary : nullptr, destination);
}

std::optional<std::uint32_t> ChunkStore::FindLiving(std::int64_t serial) const {
  if (living_.empty()) return std::nullopt;
  const std::int64_t age = serial - chunks_[living_.front()].serial;
  if (age < 0 || age >= static_cast<std::int64_t>(living_.size())) return std::nullopt;
  return living_[static_cast<std::size_t>(age)];
}

std::uint32_t ChunkStore::Use(const std::shared_ptr<ChunkedStream>& stream) {
  GORILA_CHECK(has_free());
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  chunks_[slot] = {.stream = stream, .serial = next_serial_++, .first = stream->end()};
  living_.push_back(slot);
  if (stream->slots_.empty()) stream->begin_ = stream->end();
  stream->slots_.push_back(slot);
  return slot;
}

void ChunkStore::DropOldest() {
  GORILA_CHECK(!living_.empty());
  const std::uint32_t slot = living_.front();
  living_.pop_front();
  RowChunk& chunk = chunks_[slot];
  ChunkedStream& stream = *chunk.stream;
  GORILA_CHECK(stream.slots_.front() == slot);
  stream.slots_.pop_front();
  stream.begin_ += chunk.count;
  chunk.stream.reset();
  if (chunk.pins == 0) SetFree(slot);
}

void ChunkStore::SetFree(std::uint32_t slot) {
  pages_.Free(chunks_[slot].frames);
  free_.push_back(slot);
}

void ChunkStore::Unpin(std::uint32_t slot) {
  RowChunk& chunk = chunks_[slot];
  GORILA_CHECK(chunk.pins > 0, "chunk {}", slot);
  if (--chunk.pins == 0 && chunk.stream == nullptr) SetFree(slot);
}

void ChunkedStream::Append(const StoredFrame& frame, const TimeStep& time_step, std::int32_t action,
                           float log_probability) {
  Grow(1);
  const std::uint32_t id = Id(end_ - 1);
  store_.StoreFrame(id, frame);
  store_.time_step(id) = time_step;
  store_.action(id) = action;
  if (store_.keeps_log_probabilities()) store_.log_probability(id) = log_probability;
}

void ChunkedStream::Grow(int rows) {
  GORILA_CHECK(rows <= room(), "{} rows, room for {}", rows, room());
  Last().count += rows;
  end_ += rows;
}

void ChunkStore::CheckInvariants() const {
  std::size_t pinned_dead = 0;
  std::size_t pages = pages_.free_pages();
  for (const RowChunk& chunk : chunks_) {
    if (chunk.stream == nullptr && chunk.pins > 0) ++pinned_dead;
    pages += pages_.CountPages(chunk.frames);
  }
  GORILA_CHECK(pages == pages_.pages(), "{} pages of {}", pages, pages_.pages());
  GORILA_CHECK(living_.size() + free_.size() + pinned_dead == chunks_.size());
  for (std::size_t age = 0; age < living_.size(); ++age) {
    const RowChunk& chunk = chunks_[living_[age]];
    GORILA_CHECK(chunk.stream != nullptr && chunk.count <= chunk_rows_);
    GORILA_CHECK(chunk.saved <= chunk.count);
    GORILA_CHECK(chunk.serial == chunks_[living_.front()].serial + static_cast<std::int64_t>(age));
    const ChunkedStream& stream = *chunk.stream;
    GORILA_CHECK(chunk.first >= stream.begin() && chunk.first + chunk.count <= stream.end());
    const bool last = chunk.first + chunk.count == stream.end();
    GORILA_CHECK(last || chunk.count == chunk_rows_, "a chunk in the middle is not full");
  }
}

}  // namespace gorila
