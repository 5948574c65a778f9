// Runs the threads of many simulated processes on fibers of one thread, on virtual time. The same
// seed and the same work give the same steps.
#ifndef GORILA_SIMULATION_SCHEDULER_H_
#define GORILA_SIMULATION_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gorila/base/runtime.h"
#include "gorila/simulation/event_queue.h"
#include "gorila/simulation/fiber.h"
#include "gorila/simulation/waiting_table.h"

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
  int MachineOf(ProcessId process) const { return processes_[process - 1].machine; }
  bool IsAlive(ProcessId process) const { return processes_[process - 1].alive; }
  // Its threads never run again, and nothing of theirs is destroyed.
  void Kill(ProcessId process);
  // Its threads do not run before `time`.
  void HaltUntil(ProcessId process, SteadyTime time);
  void SetWallClockError(int machine, Duration error) { clock_errors_[machine] = error; }

  // Begins a thread of the process.
  void Spawn(ProcessId process, std::string_view name, Task work);
  // Calls `event` at that time, outside every process; it must not block.
  using EventId = EventQueue::Id;
  EventId At(SteadyTime time, Task event);
  void Cancel(const EventId& event) { events_.Remove(event); }

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
    std::optional<Fiber> fiber;
    std::uint64_t turns = 0;  // counts draws of this thread
    std::uint64_t demotions = 0;
    bool killed = false;
    bool joinable = false;
    bool timed_out = false;
    EventId deadline;
    // In WaitingTable.
    const void* place = nullptr;
    SimulatedThread* before = nullptr;
    SimulatedThread* after = nullptr;
    // Those of its process, in the order of birth.
    SimulatedThread* older = nullptr;
    SimulatedThread* younger = nullptr;
  };
  struct Process {
    int machine = 0;
    bool alive = true;
    SteadyTime halted_until{};
    std::uint64_t draws = 0;
    SimulatedThread* oldest = nullptr;
    SimulatedThread* youngest = nullptr;
  };
  struct Ready {
    std::uint64_t order;
    std::uint64_t number;
    SimulatedThread* thread;
    bool operator>(const Ready& other) const {
      return order != other.order ? order > other.order : number > other.number;
    }
  };

  SimulatedThread& Add(ProcessId process, std::string_view name, Task work);
  void MakeReady(SimulatedThread& thread);
  std::uint64_t OrderOf(SimulatedThread& thread);
  void RunReady();
  void Step(SimulatedThread& thread);
  void StopWaiting(SimulatedThread& thread);
  void EndCurrent();
  void LeaveProcess(SimulatedThread& thread);

  const SchedulerOptions options_;
  SteadyTime now_{
      std::chrono::hours(1)};  // not the clock's zero, which some code takes for "never"
  EventQueue events_;
  // Those that can run at this instant, a heap: a draw decides on the order.
  std::vector<Ready> ready_;
  std::deque<SimulatedThread> pool_;      // all there ever were at once
  std::vector<SimulatedThread*> unused_;  // of those; not killed ones, whose stacks must stay
  std::unordered_map<std::uint64_t, SimulatedThread*> joinable_;  // by number
  std::deque<Process> processes_;                                 // by ProcessId - 1
  std::map<int, Duration> clock_errors_;                          // by machine
  WaitingTable<SimulatedThread> waiting_;
  SimulatedThread* current_ = nullptr;
  std::uint64_t next_thread_ = 1;
  std::uint64_t steps_ = 0, steps_at_once_ = 0;
  std::uint64_t hash_ = 0;
  bool stopping_ = false;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_SCHEDULER_H_
