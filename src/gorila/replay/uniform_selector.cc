#include "gorila/replay/uniform_selector.h"

#include <algorithm>

namespace gorila {

UniformSelector::UniformSelector(std::size_t max_ids) : position_(max_ids, kAbsent) {
  GORILA_CHECK(max_ids < kAbsent, "max_ids {}", max_ids);
  ids_.reserve(max_ids);
}

void UniformSelector::Insert(std::uint32_t id) {
  GORILA_CHECK(!Contains(id), "id {}", id);
  position_[id] = static_cast<std::uint32_t>(ids_.size());
  ids_.push_back(id);
}

void UniformSelector::Remove(std::uint32_t id) {
  GORILA_CHECK(Contains(id), "id {}", id);
  const std::uint32_t moved = ids_.back();
  ids_[position_[id]] = moved;
  position_[moved] = position_[id];
  ids_.pop_back();
  position_[id] = kAbsent;
}

void UniformSelector::Update(std::uint32_t id, double) { GORILA_CHECK(Contains(id), "id {}", id); }

void UniformSelector::Sample(RandomStream& random, std::span<Drawn> drawn) {
  const double probability = 1 / static_cast<double>(ids_.size());
  for (Drawn& draw : drawn) draw = {ids_[random.Below(ids_.size())], probability};
}

Status UniformSelector::RestoreState(StateReader& reader) {
  std::vector<std::uint32_t> ids;
  GORILA_RETURN_IF_ERROR(reader.ReadVector(ids));
  std::vector<std::uint32_t> position(position_.size(), kAbsent);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= position.size() || position[ids[i]] != kAbsent) {
      return DataLoss("replay selector: id {} is out of range 0..{} or listed twice", ids[i],
                      position.size() - 1);
    }
    position[ids[i]] = static_cast<std::uint32_t>(i);
  }
  ids_.assign(ids.begin(), ids.end());
  position_ = std::move(position);
  return OkStatus();
}

void UniformSelector::CheckInvariants() const {
  for (std::size_t i = 0; i < ids_.size(); ++i) GORILA_CHECK(position_[ids_[i]] == i);
  const auto present = static_cast<std::size_t>(
      std::count_if(position_.begin(), position_.end(), [](auto p) { return p != kAbsent; }));
  GORILA_CHECK(present == ids_.size());
}

}  // namespace gorila
