// Who waits at which place, in the order of their coming.
#ifndef GORILA_SIMULATION_WAITING_TABLE_H_
#define GORILA_SIMULATION_WAITING_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gorila/simulation/draws.h"

namespace gorila::simulation {

// Lists that go through the waiting threads themselves, found by a hash of their place: a lock that
// is given back asks for one each time, mostly in vain. `Waiter` has the fields `place`, `before`
// and `after`.
template <typename Waiter>
class WaitingTable {
 public:
  WaitingTable() : lists_(kFirstSize) {}

  // The one that came first; null where nobody waits.
  Waiter* First(const void* place) const { return lists_[Find(place)].first; }

  void Add(const void* place, Waiter& waiter) {
    if (2 * (used_ + 1) > lists_.size()) Grow();
    List& list = lists_[Find(place)];
    waiter.place = place;
    waiter.after = nullptr;
    waiter.before = list.first == nullptr ? nullptr : list.last;
    if (list.first == nullptr) {
      ++used_;
      list.place = place;
      list.first = &waiter;
    } else {
      list.last->after = &waiter;
    }
    list.last = &waiter;
  }

  void Remove(Waiter& waiter) {
    const std::size_t at = Find(std::exchange(waiter.place, nullptr));
    List& list = lists_[at];
    (waiter.before == nullptr ? list.first : waiter.before->after) = waiter.after;
    (waiter.after == nullptr ? list.last : waiter.after->before) = waiter.before;
    if (list.first == nullptr) Free(at);
  }

 private:
  static constexpr std::size_t kFirstSize = 1024;  // a power of two
  struct List {
    const void* place = nullptr;
    Waiter* first = nullptr;  // null: nothing is here
    Waiter* last = nullptr;
  };

  std::size_t Home(const void* place) const {
    return static_cast<std::size_t>(Mix(reinterpret_cast<std::uintptr_t>(place))) &
           (lists_.size() - 1);
  }
  // Where the place's list is, or would be.
  std::size_t Find(const void* place) const {
    std::size_t at = Home(place);
    while (lists_[at].first != nullptr && lists_[at].place != place) at = Next(at);
    return at;
  }
  std::size_t Next(std::size_t at) const { return (at + 1) & (lists_.size() - 1); }

  // Lists behind it move up, so that none is behind a gap.
  void Free(std::size_t gap) {
    --used_;
    for (std::size_t at = Next(gap); lists_[at].first != nullptr; at = Next(at)) {
      const std::size_t from_home = (at - Home(lists_[at].place)) & (lists_.size() - 1);
      const std::size_t from_gap = (at - gap) & (lists_.size() - 1);
      if (from_home < from_gap) continue;
      lists_[gap] = lists_[at];
      gap = at;
    }
    lists_[gap] = List();
  }

  void Grow() {
    std::vector<List> before(2 * lists_.size());
    before.swap(lists_);
    for (const List& list : before) {
      if (list.first != nullptr) lists_[Find(list.place)] = list;
    }
  }

  std::vector<List> lists_;
  std::size_t used_ = 0;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_WAITING_TABLE_H_
