// What is to happen at which virtual time.
#ifndef GORILA_SIMULATION_EVENT_QUEUE_H_
#define GORILA_SIMULATION_EVENT_QUEUE_H_

#include <cstdint>
#include <vector>

#include "gorila/base/runtime.h"
#include "gorila/simulation/task.h"

namespace gorila::simulation {

// Most events never happen: a call's deadline, the end of a wait. So each can be taken out again,
// in place, and a later one than most costs little to put in. Not thread-safe.
class EventQueue {
 public:
  struct Id {
    std::uint64_t number = 0;  // 0: none
    std::uint32_t slot = 0;
  };

  // Of equal times the one that was added first comes first.
  Id Add(SteadyTime time, Task task);
  // Nothing where it has happened, or was removed.
  void Remove(const Id& id);

  bool empty() const { return heap_.empty(); }
  SteadyTime first_time() const { return heap_.front().time; }
  Task TakeFirst();
  // How many were added.
  std::uint64_t added() const { return added_; }

 private:
  struct Entry {
    SteadyTime time;
    std::uint64_t number;
    std::uint32_t slot;
    bool operator<(const Entry& other) const {
      return time != other.time ? time < other.time : number < other.number;
    }
  };
  struct Slot {
    Task task;
    std::uint64_t number = 0;  // of its event; 0: free
  };

  void Place(std::size_t at, const Entry& entry);
  void MoveUp(std::size_t at, const Entry& entry);
  void MoveDown(std::size_t at, const Entry& entry);
  Task TakeOut(std::size_t at);

  std::vector<Entry> heap_;  // each before its kWidth children
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> places_;  // in heap_, by slot
  std::vector<std::uint32_t> free_;
  std::uint64_t added_ = 0;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_EVENT_QUEUE_H_
