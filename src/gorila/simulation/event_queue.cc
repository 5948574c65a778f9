#include "gorila/simulation/event_queue.h"

#include <algorithm>
#include <utility>

namespace gorila::simulation {
namespace {

// A node's children share a line of the cache or two, and the heap is half as deep as a binary one.
constexpr std::size_t kWidth = 4;

}  // namespace

EventQueue::Id EventQueue::Add(SteadyTime time, Task task) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
    places_.push_back(0);
  }
  const Entry entry{.time = time, .number = ++added_, .slot = free_.back()};
  free_.pop_back();
  slots_[entry.slot].task = std::move(task);
  slots_[entry.slot].number = entry.number;
  heap_.push_back(entry);
  MoveUp(heap_.size() - 1, entry);
  return {.number = entry.number, .slot = entry.slot};
}

void EventQueue::Remove(const Id& id) {
  if (id.number == 0 || slots_[id.slot].number != id.number) return;
  TakeOut(places_[id.slot]);
}

Task EventQueue::TakeFirst() { return TakeOut(0); }

Task EventQueue::TakeOut(std::size_t at) {
  const std::uint32_t slot = heap_[at].slot;
  Task task = std::move(slots_[slot].task);
  slots_[slot].number = 0;
  free_.push_back(slot);
  const Entry last = heap_.back();
  heap_.pop_back();
  if (at == heap_.size()) return task;
  if (at > 0 && last < heap_[(at - 1) / kWidth]) {
    MoveUp(at, last);
  } else {
    MoveDown(at, last);
  }
  return task;
}

void EventQueue::Place(std::size_t at, const Entry& entry) {
  heap_[at] = entry;
  places_[entry.slot] = static_cast<std::uint32_t>(at);
}

void EventQueue::MoveUp(std::size_t at, const Entry& entry) {
  while (at > 0) {
    const std::size_t parent = (at - 1) / kWidth;
    if (!(entry < heap_[parent])) break;
    Place(at, heap_[parent]);
    at = parent;
  }
  Place(at, entry);
}

void EventQueue::MoveDown(std::size_t at, const Entry& entry) {
  for (;;) {
    const std::size_t first = at * kWidth + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + kWidth, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child] < heap_[least]) least = child;
    }
    if (!(heap_[least] < entry)) break;
    Place(at, heap_[least]);
    at = least;
  }
  Place(at, entry);
}

}  // namespace gorila::simulation
