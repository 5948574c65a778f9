#include "gorila/replay/stream_store.h"

#include <algorithm>
#include <cstring>

namespace gorila {

std::uint64_t PackedRing::Append(std::span<const std::byte> frame) {
  GORILA_CHECK(HasRoom(frame.size()), "{} bytes", frame.size());
  const std::uint64_t position = end_;
  std::memcpy(&memory_[position % bytes_], frame.data(), frame.size());
  end_ += frame.size();
  return position;
}

StreamStore::StreamStore(const ObservationSpec& observation, std::int64_t capacity,
                         bool log_probabilities)
    : frame_bytes_(observation.frame_bytes()),
      stack_(observation.stack),
      capacity_(capacity),
      frames_(static_cast<std::size_t>(capacity) * frame_bytes_),
      ring_(0, 0),
      time_steps_(static_cast<std::size_t>(capacity)),
      actions_(static_cast<std::size_t>(capacity)),
      log_probabilities_(static_cast<std::size_t>(log_probabilities ? capacity : 0)) {}

StreamStore::StreamStore(const ObservationSpec& observation, std::int64_t capacity,
                         FramePacker& packer, std::int64_t packed_bytes, bool log_probabilities)
    : frame_bytes_(observation.frame_bytes()),
      stack_(observation.stack),
      capacity_(capacity),
      packer_(&packer),
      ring_(packed_bytes, PackedBound(frame_bytes_)),
      positions_(static_cast<std::size_t>(capacity)),
      time_steps_(static_cast<std::size_t>(capacity)),
      actions_(static_cast<std::size_t>(capacity)),
      log_probabilities_(static_cast<std::size_t>(log_probabilities ? capacity : 0)) {}

std::size_t StreamStore::BytesPerRow(const ObservationSpec& observation) {
  return observation.frame_bytes() + sizeof(TimeStep) + sizeof(std::int32_t);
}

Status StreamStore::CheckRow(const ReplayRow& row) const {
  if (row.frame.size() != frame_bytes_) {
    return InvalidArgument("replay: a frame has {} bytes, expected {}", row.frame.size(),
                           frame_bytes_);
  }
  if (game_ >= 0 && row.game != game_) {
    return InvalidArgument("replay: a row of game {} in a stream of game {}", row.game, game_);
  }
  const bool starts = row.time_step.step_type == StepType::kFirst;
  if (end_ > begin_ && starts != time_step(end_ - 1).last()) {
    return InvalidArgument("replay: an episode's rows must run from a first to a last time step");
  }
  return OkStatus();
}

void StreamStore::Append(const ReplayRow& row, const std::function<void()>& drop_oldest) {
  while (full()) drop_oldest();
  StoreFrame(end_, row.frame, true, drop_oldest);
  game_ = row.game;
  time_steps_[Position(end_)] = row.time_step;
  actions_[Position(end_)] = row.action;
  if (!log_probabilities_.empty()) log_probabilities_[Position(end_)] = row.log_probability;
  ++end_;
}

void StreamStore::StoreFrame(std::int64_t index, std::span<const std::byte> frame, bool learn,
                             const std::function<void()>& drop_oldest) {
  if (packer_ == nullptr) {
    std::memcpy(&frames_[Position(index) * frame_bytes_], frame.data(), frame_bytes_);
    return;
  }
  if (learn && dictionary_from_ == kNever && packer_->has_dictionary()) dictionary_from_ = index;
  const auto packed = packer_->Pack(frame, WithDictionary(index));
  while (!ring_.HasRoom(packed.size())) {
    GORILA_CHECK(begin_ < index, "no room for one frame");
    drop_oldest();
  }
  positions_[Position(index)] = ring_.Append(packed);
  stored_until_ = index + 1;
  if (learn) packer_->Learn(frame);
}

void StreamStore::DropOldest() {
  ++begin_;
  if (packer_ == nullptr) return;
  ring_.DropBefore(begin_ < stored_until_ ? positions_[Position(begin_)] : ring_.end());
}

std::span<const std::byte> StreamStore::Packed(std::int64_t index) const {
  const bool newest = index + 1 == stored_until_;
  return ring_.Get(positions_[Position(index)],
                   newest ? ring_.end() : positions_[Position(index + 1)]);
}

void StreamStore::CopyFrame(std::int64_t index, std::byte* destination) const {
  if (packer_ == nullptr) {
    std::memcpy(destination, &frames_[Position(index) * frame_bytes_], frame_bytes_);
  } else {
    packer_->Unpack(Packed(index), WithDictionary(index), destination);
  }
}

void StreamStore::CopyStack(std::int64_t index, std::byte* destination) const {
  VisitStack(*this, index, stack_, [&](std::int64_t row) {
    if (row == kNoRow) {
      std::memset(destination, 0, frame_bytes_);
    } else {
      CopyFrame(row, destination);
    }
    destination += frame_bytes_;
  });
}

void StreamStore::CopyStacks(std::int64_t start, std::int64_t end, std::byte* s_tm1,
                             std::byte* s_t) const {
  CopyStack(start, s_tm1);
  VisitStack(*this, end, stack_, [&](std::int64_t row) {
    if (row == kNoRow) {
      std::memset(s_t, 0, frame_bytes_);
    } else if (row > start) {
      CopyFrame(row, s_t);
    } else {
      const auto place = static_cast<std::size_t>(stack_ - 1 - (start - row));
      std::memcpy(s_t, s_tm1 + place * frame_bytes_, frame_bytes_);
    }
    s_t += frame_bytes_;
  });
}

void StreamStore::CopyUnroll(std::int64_t first, std::int64_t last, std::byte* states) const {
  const std::size_t state_bytes = frame_bytes_ * static_cast<std::size_t>(stack_);
  CopyStack(first, states);
  for (std::int64_t index = first + 1; index <= last; ++index) {
    const std::byte* earlier = states + frame_bytes_;  // the stack before, without its oldest frame
    states += state_bytes;
    std::byte* destination = states;
    VisitStack(*this, index, stack_, [&](std::int64_t row) {
      if (row == kNoRow) {
        std::memset(destination, 0, frame_bytes_);
      } else if (row < index) {
        std::memcpy(destination, earlier, frame_bytes_);
      } else {
        CopyFrame(row, destination);
      }
      destination += frame_bytes_;
      earlier += frame_bytes_;
    });
  }
}

std::int64_t StreamStore::SaveRows(std::int64_t first, std::int64_t count,
                                   StateWriter& writer) const {
  first = std::max(first, begin_);
  const std::int64_t last = std::min(first + count, end_);
  writer.Write(first);
  writer.Write(last - first);
  for (std::int64_t index = first; index < last; ++index) {
    writer.Write(time_step(index));
    writer.Write(actions_[Position(index)]);
    if (!log_probabilities_.empty()) writer.Write(log_probability(index));
  }
  std::vector<std::byte> frame(frame_bytes_);
  for (std::int64_t index = first; index < last; ++index) {
    CopyFrame(index, frame.data());
    writer.WriteBytes(frame);
  }
  return last;
}

void StreamStore::SavePacking(StateWriter& writer) const {
  if (packer_ == nullptr) return;
  const bool waits = dictionary_from_ == kNever && packer_->has_dictionary();
  writer.Write(waits ? end_ : dictionary_from_);
}

void StreamStore::ResetRange(std::int64_t begin, std::int64_t end, int game) {
  GORILA_CHECK(0 <= begin && begin <= end && end - begin <= capacity_);
  begin_ = begin;
  end_ = end;
  game_ = end > 0 ? game : -1;
  restored_until_ = begin;
  stored_until_ = begin;
  ring_.DropBefore(ring_.end());
}

Status StreamStore::RestorePacking(StateReader& reader) {
  if (packer_ == nullptr) return OkStatus();
  GORILA_RETURN_IF_ERROR(reader.Read(dictionary_from_));
  const bool may = packer_->has_dictionary() ? dictionary_from_ >= 0 && dictionary_from_ <= end_
                                             : dictionary_from_ == kNever;
  if (!may) return DataLoss("replay state: rows before {} without dictionary", dictionary_from_);
  packing_restored_ = true;
  return OkStatus();
}

Status StreamStore::RestoreRows(StateReader& reader, const std::function<void()>& drop_oldest) {
  std::int64_t first = 0;
  std::int64_t count = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(first));
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  const bool with_log = !log_probabilities_.empty();
  const std::size_t row_bytes =
      sizeof(TimeStep) + sizeof(std::int32_t) + (with_log ? sizeof(float) : 0) + frame_bytes_;
  if (first < 0 || count < 0 ||
      static_cast<std::uint64_t>(count) > reader.remaining() / row_bytes || first > end_ - count) {
    return DataLoss("replay segment: {} rows from row {}, expected rows before {} in {} bytes",
                    count, first, end_, reader.remaining());
  }
  // Rows before begin() were dropped after they had been saved.
  const bool any_living = count > 0 && first + count > begin_;
  if (any_living && std::max(first, begin_) != restored_until_) {
    return DataLoss("replay segment: begins at row {}, expected {}", first, restored_until_);
  }
  for (std::int64_t index = first; index < first + count; ++index) {
    TimeStep time_step;
    std::int32_t action = 0;
    GORILA_RETURN_IF_ERROR(reader.Read(time_step));
    GORILA_RETURN_IF_ERROR(reader.Read(action));
    float log_probability = 0;
    if (with_log) GORILA_RETURN_IF_ERROR(reader.Read(log_probability));
    if (index < begin_) continue;
    time_steps_[Position(index)] = time_step;
    actions_[Position(index)] = action;
    if (with_log) log_probabilities_[Position(index)] = log_probability;
  }
  for (std::int64_t index = first; index < first + count; ++index) {
    std::span<const std::byte> frame;
    GORILA_RETURN_IF_ERROR(reader.ReadBytes(frame_bytes_, frame));
    if (index < begin_) continue;
    StoreFrame(index, frame, !packing_restored_, drop_oldest);
  }
  if (any_living) restored_until_ = first + count;
  return OkStatus();
}

Status StreamStore::CheckComplete() const {
  if (restored_until_ == end_) return OkStatus();
  return DataLoss("replay: rows before {} restored, rows before {} expected", restored_until_,
                  end_);
}

}  // namespace gorila
