#include "gorila/replay/queue_selector.h"

#include <utility>

namespace gorila {

QueueSelector::QueueSelector(std::size_t max_ids) : links_(max_ids + 1) {
  GORILA_CHECK(max_ids + 1 < kAbsent, "max_ids {}", max_ids);
  links_.back() = {.next = anchor(), .previous = anchor()};
}

void QueueSelector::Insert(std::uint32_t id) {
  GORILA_CHECK(!Contains(id), "id {}", id);
  Link& end = links_.back();
  links_[id] = {.next = anchor(), .previous = end.previous};
  links_[end.previous].next = id;
  end.previous = id;
  ++size_;
}

void QueueSelector::Remove(std::uint32_t id) {
  GORILA_CHECK(Contains(id), "id {}", id);
  const Link link = std::exchange(links_[id], {});
  links_[link.previous].next = link.next;
  links_[link.next].previous = link.previous;
  --size_;
}

void QueueSelector::Update(std::uint32_t id, double) { GORILA_CHECK(Contains(id), "id {}", id); }

void QueueSelector::Sample(RandomStream&, std::span<Drawn> drawn) {
  GORILA_CHECK(drawn.size() <= size_, "{} of {}", drawn.size(), size_);
  for (Drawn& draw : drawn) {
    draw = {.id = links_.back().next, .probability = 1};
    Remove(draw.id);
  }
}

void QueueSelector::SaveState(StateWriter& writer) const {
  writer.Write<std::uint64_t>(size_);
  for (std::uint32_t id = links_.back().next; id != anchor(); id = links_[id].next) {
    writer.Write(id);
  }
}

Status QueueSelector::RestoreState(StateReader& reader) {
  std::vector<std::uint32_t> ids;
  GORILA_RETURN_IF_ERROR(reader.ReadVector(ids));
  QueueSelector restored(links_.size() - 1);
  for (const std::uint32_t id : ids) {
    if (id >= anchor() || restored.Contains(id)) {
      return DataLoss("replay selector: id {} is out of range 0..{} or listed twice", id,
                      anchor() - 1);
    }
    restored.Insert(id);
  }
  *this = std::move(restored);
  return OkStatus();
}

void QueueSelector::CheckInvariants() const {
  std::size_t count = 0;
  std::uint32_t before = anchor();
  for (std::uint32_t id = links_.back().next; id != anchor(); id = links_[id].next) {
    GORILA_CHECK(links_[id].previous == before, "id {}", id);
    before = id;
    ++count;
  }
  GORILA_CHECK(links_.back().previous == before && count == size_, "{} {}", count, size_);
}

}  // namespace gorila
