// How fast a counter grows now.
#ifndef GORILA_METRICS_RATE_METER_H_
#define GORILA_METRICS_RATE_METER_H_

#include <chrono>
#include <cstdint>
#include <deque>

namespace gorila {

// Events per second over a sliding window, from readings of a counter that grows. The time is given
// by the caller. Not thread-safe.
class RateMeter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  // `window` > 0.
  explicit RateMeter(Duration window = std::chrono::seconds(5));

  // The counter reads `total` at `now`; times must not go back. A counter that went back (its owner
  // restarted from a snapshot) starts the window afresh.
  void Update(TimePoint now, std::uint64_t total);

  // Over the readings of the window before the last one; 0 until two readings at different times.
  double PerSecond() const;

 private:
  struct Reading {
    TimePoint time;
    std::uint64_t total;
  };
  Duration window_;
  std::deque<Reading> readings_;  // oldest first; the first is the last one outside the window
};

}  // namespace gorila

#endif  // GORILA_METRICS_RATE_METER_H_
