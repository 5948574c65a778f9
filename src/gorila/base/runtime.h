// Where code that runs in a simulation (simulation/) meets the machine: clocks, waiting and threads
// are the operating system's, unless the calling thread simulates them.
#ifndef GORILA_BASE_RUNTIME_H_
#define GORILA_BASE_RUNTIME_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// What stands for the operating system in a thread that simulates others. Of that one thread.
class SimulatedRuntime {
 public:
  virtual ~SimulatedRuntime() = default;

  virtual SteadyTime Now() = 0;
  virtual WallTime WallNow() = 0;  // may be wrong, and jump
  virtual std::uint64_t Draw() = 0;

  // Called before a lock is taken: another simulated thread may run first.
  virtual void BeforeLock() = 0;
  // Blocks the calling simulated thread until Wake() of `place`; false when `deadline` came first.
  virtual bool Block(const void* place, SteadyTime deadline) = 0;
  // Wakes one, or all, of those that block at `place`. Does not switch.
  virtual void Wake(const void* place, bool all) = 0;

  // Begins a simulated thread; its number, for Join(). ResourceExhausted as StartThread().
  virtual StatusOr<std::uint64_t> Start(std::string_view name, std::function<void()> work) = 0;
  virtual void Join(std::uint64_t thread) = 0;
};

// Null in threads that simulate nothing, which are all of a production process.
inline constinit thread_local SimulatedRuntime* simulated_runtime = nullptr;

inline SteadyTime SteadyNow() {
  return simulated_runtime == nullptr ? std::chrono::steady_clock::now() : simulated_runtime->Now();
}
inline WallTime WallNow() {
  return simulated_runtime == nullptr ? std::chrono::system_clock::now()
                                      : simulated_runtime->WallNow();
}
// Blocks.
void SleepUntil(SteadyTime time);
inline void SleepFor(std::chrono::nanoseconds time) { SleepUntil(SteadyNow() + time); }

}  // namespace gorila

#endif  // GORILA_BASE_RUNTIME_H_
