// How a thread spends its time, so that a run can name its bottleneck.
#ifndef GORILA_METRICS_WORK_CLOCK_H_
#define GORILA_METRICS_WORK_CLOCK_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "gorila/base/runtime.h"

namespace gorila {

enum class Work { kActing, kReplay, kLearning, kParameterServer, kWaiting };
inline constexpr std::size_t kWorks = 5;
// As they are called in logs and on the dashboard.
inline constexpr std::array<std::string_view, kWorks> kWorkNames = {"acting", "replay", "learning",
                                                                    "parameter_server", "waiting"};

using WorkSeconds = std::array<double, kWorks>;

// Adds up the time of one thread by kind. Not thread-safe. A change of kind reads the clock once,
// some 25 ns.
class WorkClock {
 public:
  // From now on the thread does `work`. Returns what it did before.
  Work Switch(Work work) {
    const auto now = SteadyNow();
    seconds_[static_cast<std::size_t>(work_)] +=
        std::chrono::duration<double>(now - since_).count();
    since_ = now;
    const Work before = work_;
    work_ = work;
    return before;
  }

  // Up to the last Switch.
  const WorkSeconds& seconds() const { return seconds_; }

 private:
  std::chrono::steady_clock::time_point since_ = SteadyNow();
  Work work_ = Work::kWaiting;
  WorkSeconds seconds_{};
};

// `work` until the end of a block, then again what came before.
class WorkScope {
 public:
  WorkScope(WorkClock& clock, Work work) : clock_(clock), before_(clock.Switch(work)) {}
  ~WorkScope() { clock_.Switch(before_); }
  WorkScope(const WorkScope&) = delete;
  WorkScope& operator=(const WorkScope&) = delete;

 private:
  WorkClock& clock_;
  const Work before_;
};

}  // namespace gorila

#endif  // GORILA_METRICS_WORK_CLOCK_H_
