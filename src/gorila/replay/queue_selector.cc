#include "gorila/replay/queue_selector.h"

#include <utility>

namespace gorila {

QueueSelector::QueueSelector(std::size_t max_ids, const SelectorOptions& options)
    : options_(options), links_(max_ids + 1) {
  GORILA_CHECK(max_ids + 1 < kDrawn, "max_ids {}", max_ids);
  links_.back() = {.next = anchor(), .previous = anchor()};
  if (keeps_drawn()) drawn_.reserve(max_ids);
}

void QueueSelector::Insert(std::uint32_t id) {
  GORILA_CHECK(!Contains(id), "id {}", id);
  Link& end = links_.back();
  links_[id] = {.next = anchor(), .previous = end.previous};
  links_[end.previous].next = id;
  end.previous = id;
  ++queued_;
}

void QueueSelector::Unlink(std::uint32_t id) {
  const Link link = std::exchange(links_[id], {});
  links_[link.previous].next = link.next;
  links_[link.next].previous = link.previous;
  --queued_;
}

void QueueSelector::AddDrawn(std::uint32_t id) {
  links_[id] = {.next = kDrawn, .previous = static_cast<std::uint32_t>(drawn_.size())};
  drawn_.push_back(id);
}

void QueueSelector::Remove(std::uint32_t id) {
  GORILA_CHECK(Contains(id), "id {}", id);
  if (IsQueued(id)) return Unlink(id);
  const std::uint32_t moved = drawn_.back();
  const std::uint32_t place = links_[id].previous;
  drawn_[place] = moved;
  links_[moved].previous = place;
  drawn_.pop_back();
  links_[id] = {};
}

void QueueSelector::Update(std::uint32_t id, double) { GORILA_CHECK(Contains(id), "id {}", id); }

void QueueSelector::MarkDrawn(std::uint32_t id) {
  GORILA_CHECK(IsQueued(id), "id {}", id);
  Unlink(id);
  if (keeps_drawn()) AddDrawn(id);
}

void QueueSelector::Sample(RandomStream& random, std::span<Drawn> drawn) {
  const std::size_t fresh = FreshOf(options_, drawn.size());
  GORILA_CHECK(fresh <= queued_, "{} of {}", fresh, queued_);
  for (Drawn& draw : drawn.first(fresh)) {
    draw = {.id = links_.back().next, .probability = 1};
    MarkDrawn(draw.id);
  }
  for (Drawn& draw : drawn.subspan(fresh)) {
    draw = {.id = drawn_[random.Below(drawn_.size())], .probability = 1};
  }
}

void QueueSelector::SaveState(StateWriter& writer) const {
  writer.Write<std::uint64_t>(queued_);
  for (std::uint32_t id = links_.back().next; id != anchor(); id = links_[id].next) {
    writer.Write(id);
  }
  if (keeps_drawn()) writer.WriteSpan<std::uint32_t>(drawn_);
}

Status QueueSelector::RestoreState(StateReader& reader) {
  std::vector<std::uint32_t> queued;
  std::vector<std::uint32_t> drawn;
  GORILA_RETURN_IF_ERROR(reader.ReadVector(queued));
  if (keeps_drawn()) GORILA_RETURN_IF_ERROR(reader.ReadVector(drawn));
  QueueSelector restored(links_.size() - 1, options_);
  for (const std::vector<std::uint32_t>* ids : {&queued, &drawn}) {
    for (const std::uint32_t id : *ids) {
      if (id >= anchor() || restored.Contains(id)) {
        return DataLoss("replay selector: id {} is out of range 0..{} or listed twice", id,
                        anchor() - 1);
      }
      if (ids == &queued) {
        restored.Insert(id);
      } else {
        restored.AddDrawn(id);
      }
    }
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
  GORILA_CHECK(links_.back().previous == before && count == queued_, "{} {}", count, queued_);
  for (std::size_t place = 0; place < drawn_.size(); ++place) {
    const Link& link = links_[drawn_[place]];
    GORILA_CHECK(link.next == kDrawn && link.previous == place, "place {}", place);
  }
}

}  // namespace gorila
