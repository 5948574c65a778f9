#include "gorila/replay/stream_store.h"

#include <algorithm>
#include <cstring>

namespace gorila {

StreamStore::StreamStore(const ObservationSpec& observation, std::int64_t capacity)
    : frame_bytes_(observation.frame_bytes()),
      stack_(observation.stack),
      capacity_(capacity),
      frames_(static_cast<std::size_t>(capacity) * frame_bytes_),
      time_steps_(static_cast<std::size_t>(capacity)),
      actions_(static_cast<std::size_t>(capacity)) {}

std::size_t StreamStore::BytesPerRow(const ObservationSpec& observation) {
  return observation.frame_bytes() + sizeof(TimeStep) + sizeof(std::int32_t);
}

Status StreamStore::CheckRow(const ReplayRow& row) const {
  if (row.frame.size() != frame_bytes_) {
    return InvalidArgument("replay: a frame has {} bytes, expected {}", row.frame.size(),
                           frame_bytes_);
  }
  const bool starts = row.time_step.step_type == StepType::kFirst;
  if (end_ > begin_ && starts != time_step(end_ - 1).last()) {
    return InvalidArgument("replay: an episode's rows must run from a first to a last time step");
  }
  return OkStatus();
}

void StreamStore::Append(const ReplayRow& row) {
  GORILA_CHECK(!full());
  std::memcpy(MutableFrame(end_), row.frame.data(), frame_bytes_);
  time_steps_[Position(end_)] = row.time_step;
  actions_[Position(end_)] = row.action;
  ++end_;
}

void StreamStore::CopyStack(std::int64_t index, std::byte* destination) const {
  VisitStack(*this, index, stack_, [&](const std::byte* frame) {
    CopyFrame(frame, frame_bytes_, destination);
    destination += frame_bytes_;
  });
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
  }
  for (std::int64_t index = first; index < last; ++index) {
    writer.WriteBytes(std::span<const std::byte>(Frame(index), frame_bytes_));
  }
  return last;
}

void StreamStore::ResetRange(std::int64_t begin, std::int64_t end) {
  GORILA_CHECK(0 <= begin && begin <= end && end - begin <= capacity_);
  begin_ = begin;
  end_ = end;
  restored_until_ = begin;
}

Status StreamStore::RestoreRows(StateReader& reader) {
  std::int64_t first = 0;
  std::int64_t count = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(first));
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  const std::size_t row_bytes = sizeof(TimeStep) + sizeof(std::int32_t) + frame_bytes_;
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
    if (index < begin_) continue;
    time_steps_[Position(index)] = time_step;
    actions_[Position(index)] = action;
  }
  for (std::int64_t index = first; index < first + count; ++index) {
    std::span<const std::byte> frame;
    GORILA_RETURN_IF_ERROR(reader.ReadBytes(frame_bytes_, frame));
    if (index < begin_) continue;
    std::memcpy(MutableFrame(index), frame.data(), frame_bytes_);
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
