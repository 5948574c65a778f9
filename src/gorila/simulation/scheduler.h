// Runs the threads of many simulated processes on fibers of one thread, on virtual time. The same
// seed and the same work give the same steps.
#ifndef GORILA_SIMULATION_SCHEDULER_H_
#define GORILA_SIMULATION_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gorila/base/runtime.h"
#include "gorila/simulation/fiber.h"

namespace gorila::simulation {

// A process of the simulation, dead or alive; numbered from 1 in the order of birth.
using ProcessId = std::uint64_t;
using Duration = std::chrono::nanoseconds;

inline Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

struct SchedulerOptions {
  std::uint64_t seed = 1;
  double yield = 0;  // how often a thread lets others run before it takes a lock; in [0, 1]
  // Of threads that can run at one instant: 0: a draw decides each time which is next. Else each
  // has a priority, and loses it once in so many of its turns (as in PCT, Burckhardt et al. 2010).
  int demote_every = 0;
};

// Not thread-safe. While Run() is active, it is the runtime of the thread that called it.
class Scheduler final : public SimulatedRuntime {
 public:
  explicit Scheduler(const SchedulerOptions& options);
  ~Scheduler() override;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // A process on a machine: machines fail, are cut off and have clocks of their own.
  ProcessId AddProcess(int machine);
  int MachineOf(ProcessId process) const { return processes_.at(process).machine; }
  bool IsAlive(ProcessId process) const { return processes_.at(process).alive; }
  // Its threads never run again, and nothing of theirs is destroyed.
  void Kill(ProcessId process);
  // Its threads do not run before `time`.
  void HaltUntil(ProcessId process, SteadyTime time);
  void SetWallClockError(int machine, Duration error) { clock_errors_[machine] = error; }

  // Begins a thread of the process.
  void Spawn(ProcessId process, std::string_view name, std::function<void()> work);
  // Calls `event` at that time, outside every process; it must not block.
  using EventId = std::pair<SteadyTime, std::uint64_t>;
  EventId At(SteadyTime time, std::function<void()> event);
  void Cancel(const EventId& event) { events_.erase(event); }

  // Runs until `end`, or until nothing is left that could happen, or `Stop()`.
  void Run(SteadyTime end);
  void Stop() { stopping_ = true; }

  // Of the thread that runs; 0 in events.
  ProcessId current_process() const;

  std::uint64_t steps() const { return steps_; }
  // Of all steps so far: which thread ran when.
  std::uint64_t hash() const { return hash_; }
  // Threads that wait for something that has no deadline, by name; for messages.
  std::vector<std::string> Waiting(ProcessId process) const;
  // More than a run makes at one instant unless it goes round in circles.
  static constexpr std::uint64_t kMostStepsAtOnce = 5'000'000;
  bool stuck() const { return steps_at_once_ > kMostStepsAtOnce; }

  SteadyTime Now() override { return now_; }
  WallTime WallNow() override;
  std::uint64_t Draw() override;
  void BeforeLock() override;
  bool Block(const void* place, SteadyTime deadline) override;
  void Wake(const void* place, bool all) override;
  StatusOr<std::uint64_t> Start(std::string_view name, std::function<void()> work) override;
  void Join(std::uint64_t thread) override;

 private:
  struct SimulatedThread {
    std::uint64_t number = 0;
    ProcessId process = 0;
    std::string name;
    std::unique_ptr<Fiber> fiber;
    std::uint64_t turns = 0;  // counts draws of this thread
    std::uint64_t demotions = 0;
    const void* place = nullptr;
    EventId deadline{SteadyTime::max(), 0};
    bool timed_out = false;
  };
  struct Process {
    int machine = 0;
    bool alive = true;
    SteadyTime halted_until{};
    std::uint64_t draws = 0;
    std::set<std::uint64_t> threads = {};
  };

  SimulatedThread& Add(ProcessId process, std::string_view name, std::function<void()> work);
  void MakeReady(SimulatedThread& thread);
  std::uint64_t OrderOf(SimulatedThread& thread);
  void RunReady();
  void Step(SimulatedThread& thread);
  void StopWaiting(SimulatedThread& thread);
  void EndCurrent();

  const SchedulerOptions options_;
  SteadyTime now_{
      std::chrono::hours(1)};  // not the clock's zero, which some code takes for "never"
  std::map<EventId, std::function<void()>> events_;
  std::uint64_t next_event_ = 1;
  // Those that can run at this instant: a draw decides on the order.
  std::set<std::pair<std::uint64_t, std::uint64_t>> ready_;
  std::unordered_map<std::uint64_t, std::unique_ptr<SimulatedThread>> threads_;
  std::vector<std::unique_ptr<SimulatedThread>> killed_;  // their stacks must stay
  std::map<ProcessId, Process> processes_;
  std::map<int, Duration> clock_errors_;  // by machine
  std::unordered_map<const void*, std::deque<std::uint64_t>> waiting_;
  SimulatedThread* current_ = nullptr;
  std::uint64_t next_thread_ = 1;
  ProcessId next_process_ = 1;
  std::uint64_t steps_ = 0, steps_at_once_ = 0;
  std::uint64_t hash_ = 0;
  bool stopping_ = false;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_SCHEDULER_H_
