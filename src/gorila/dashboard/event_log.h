// Events for any number of readers, each at its own pace.
#ifndef GORILA_DASHBOARD_EVENT_LOG_H_
#define GORILA_DASHBOARD_EVENT_LOG_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "gorila/base/mutex.h"

namespace gorila {

struct LoggedEvent {
  std::string name;
  std::string data;  // one line
};

// Thread-safe.
class EventLog {
 public:
  // Forgets the oldest events beyond `most`, and those beyond `most_bytes` but for the newest.
  EventLog(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

  void Publish(LoggedEvent event) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    bytes_ += event.data.size();
    events_.push_back(std::move(event));
    while (events_.size() > most_ || (bytes_ > most_bytes_ && events_.size() > 1)) {
      bytes_ -= events_.front().data.size();
      events_.pop_front();
      ++first_;
    }
    changed_.NotifyAll();
  }

  // The number that the next event will have.
  std::uint64_t end() const GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return first_ + events_.size();
  }

  // Whether a reader at `next` has missed events that are forgotten.
  bool Missed(std::uint64_t next) const GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return next < first_;
  }

  // Event number `next`, or the oldest that is kept; sets `next` to its successor. Waits for one
  // until `deadline`, then returns nullopt.
  std::optional<LoggedEvent> Wait(std::uint64_t& next,
                                  std::chrono::steady_clock::time_point deadline)
      GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (next >= first_ + events_.size()) {
      if (!changed_.WaitUntil(mutex_, deadline)) break;
    }
    if (next >= first_ + events_.size()) return std::nullopt;
    if (next < first_) next = first_;
    const LoggedEvent event = events_[next - first_];
    ++next;
    return event;
  }

 private:
  const std::size_t most_;
  const std::size_t most_bytes_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::uint64_t first_ GORILA_GUARDED_BY(mutex_) = 0;  // number of events_.front()
  std::size_t bytes_ GORILA_GUARDED_BY(mutex_) = 0;    // of their data
  std::deque<LoggedEvent> events_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_EVENT_LOG_H_
