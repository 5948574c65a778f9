#include "gorila/simulation/scheduler.h"

#include <algorithm>

#include "gorila/base/status.h"
#include "gorila/simulation/draws.h"
#include "gorila/simulation/meant_leaks.h"

namespace gorila::simulation {
namespace {

// What draws are for.
enum Purpose : std::uint64_t { kOrder = 1, kYield, kNumber, kPriority };

// Of threads that become ready before another does, how many may run after it.
constexpr std::uint64_t kOvertaken = 32;

// 1 January 2026: simulated wall clocks begin in no real past.
constexpr WallTime kWallStart{std::chrono::seconds(1'767'225'600)};

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options) : options_(options) {}
Scheduler::~Scheduler() = default;

ProcessId Scheduler::AddProcess(int machine) {
  processes_[next_process_] = {.machine = machine};
  return next_process_++;
}

void Scheduler::Kill(ProcessId process) {
  Process& killed = processes_.at(process);
  killed.alive = false;
  for (const std::uint64_t number : std::exchange(killed.threads, {})) {
    std::unique_ptr<SimulatedThread>& thread = threads_.at(number);
    StopWaiting(*thread);
    killed_.push_back(std::move(thread));
    threads_.erase(number);
  }
  // A process that kills itself stops here.
  if (current_ != nullptr && current_->process == process) current_->fiber->Suspend();
}

void Scheduler::HaltUntil(ProcessId process, SteadyTime time) {
  Process& halted = processes_.at(process);
  halted.halted_until = std::max(halted.halted_until, time);
}

void Scheduler::Spawn(ProcessId process, std::string_view name, std::function<void()> work) {
  if (IsAlive(process)) MakeReady(Add(process, name, std::move(work)));
}

Scheduler::SimulatedThread& Scheduler::Add(ProcessId process, std::string_view name,
                                           std::function<void()> work) {
  auto thread = std::make_unique<SimulatedThread>();
  SimulatedThread& added = *thread;
  added.number = next_thread_++;
  added.process = process;
  added.name = name;
  added.fiber = std::make_unique<Fiber>(std::move(work));
  processes_.at(process).threads.insert(added.number);
  threads_.emplace(added.number, std::move(thread));
  return added;
}

Scheduler::EventId Scheduler::At(SteadyTime time, std::function<void()> event) {
  const EventId id{std::max(time, now_), next_event_++};
  events_.emplace(id, std::move(event));
  return id;
}

void Scheduler::Run(SteadyTime end) {
  const MeantLeaks leaks;
  SimulatedRuntime* const before = std::exchange(simulated_runtime, this);
  stopping_ = false;
  while (!stopping_ && !stuck()) {
    if (!ready_.empty()) {
      RunReady();
      continue;
    }
    if (events_.empty() || events_.begin()->first.first > end) break;
    auto first = events_.extract(events_.begin());
    if (first.key().first > now_) steps_at_once_ = 0;
    now_ = first.key().first;
    first.mapped()();
  }
  if (!stopping_ && !stuck()) now_ = std::max(now_, end);
  simulated_runtime = before;
}

void Scheduler::RunReady() {
  const std::uint64_t number = ready_.begin()->second;
  ready_.erase(ready_.begin());
  const auto found = threads_.find(number);
  if (found == threads_.end()) return;  // killed
  SimulatedThread& thread = *found->second;
  const SteadyTime halted_until = processes_.at(thread.process).halted_until;
  if (halted_until <= now_) return Step(thread);
  At(halted_until, [this, number] {
    if (const auto still = threads_.find(number); still != threads_.end())
      MakeReady(*still->second);
  });
}

void Scheduler::Step(SimulatedThread& thread) {
  ++steps_;
  ++steps_at_once_;
  hash_ = DrawBits({hash_, thread.number, thread.turns,
                    static_cast<std::uint64_t>(now_.time_since_epoch().count())});
  current_ = &thread;
  thread.fiber->Resume();
  if (current_ == &thread && thread.fiber->ended()) EndCurrent();
  current_ = nullptr;
}

// Those that join it wait at its address.
void Scheduler::EndCurrent() {
  SimulatedThread& thread = *current_;
  Wake(&thread, /*all=*/true);
  if (const auto process = processes_.find(thread.process); process->second.alive) {
    process->second.threads.erase(thread.number);
    threads_.erase(thread.number);
  }
}

void Scheduler::MakeReady(SimulatedThread& thread) {
  ready_.emplace(OrderOf(thread), thread.number);
}

// The smallest is next. A thread with fewer demotions comes before one with more.
std::uint64_t Scheduler::OrderOf(SimulatedThread& thread) {
  const std::uint64_t turn = DrawBits({options_.seed, kOrder, thread.number, thread.turns++});
  // No thread waits for ever behind those that come again and again.
  if (options_.demote_every == 0) return steps_at_once_ + turn % kOvertaken;
  if (turn % static_cast<std::uint64_t>(options_.demote_every) == 0) ++thread.demotions;
  const std::uint64_t priority =
      DrawBits({options_.seed, kPriority, thread.number, thread.demotions});
  constexpr int kBits = 48;
  return (thread.demotions << kBits) | (priority >> (64 - kBits));
}

void Scheduler::StopWaiting(SimulatedThread& thread) {
  if (thread.place != nullptr) {
    const auto found = waiting_.find(thread.place);
    std::erase(found->second, thread.number);
    if (found->second.empty()) waiting_.erase(found);
    thread.place = nullptr;
  }
  if (thread.deadline.first != SteadyTime::max()) Cancel(thread.deadline);
  thread.deadline.first = SteadyTime::max();
}

bool Scheduler::Block(const void* place, SteadyTime deadline) {
  GORILA_CHECK(current_ != nullptr, "an event of the simulation must not block");
  SimulatedThread& thread = *current_;
  thread.place = place;
  thread.timed_out = false;
  waiting_[place].push_back(thread.number);
  if (deadline != SteadyTime::max()) {
    thread.deadline = At(deadline, [this, &thread] {
      thread.timed_out = true;
      StopWaiting(thread);
      MakeReady(thread);
    });
  }
  thread.fiber->Suspend();
  return !thread.timed_out;
}

void Scheduler::Wake(const void* place, bool all) {
  for (auto found = waiting_.find(place); found != waiting_.end(); found = waiting_.find(place)) {
    SimulatedThread& thread = *threads_.at(found->second.front());
    StopWaiting(thread);
    MakeReady(thread);
    if (!all) return;
  }
}

void Scheduler::BeforeLock() {
  if (options_.yield == 0 || current_ == nullptr) return;
  SimulatedThread& thread = *current_;
  const std::uint64_t bits = DrawBits({options_.seed, kYield, thread.number, thread.turns++});
  if (UnitOf(bits) >= options_.yield) return;
  MakeReady(thread);
  thread.fiber->Suspend();
}

WallTime Scheduler::WallNow() {
  const auto since_start = now_ - SteadyTime(std::chrono::hours(1));
  const auto error =
      current_ == nullptr ? clock_errors_.end() : clock_errors_.find(MachineOf(current_->process));
  const Duration wrong = error == clock_errors_.end() ? Duration::zero() : error->second;
  return kWallStart + std::chrono::duration_cast<WallTime::duration>(since_start + wrong);
}

std::uint64_t Scheduler::Draw() {
  const ProcessId process = current_process();
  return DrawBits({options_.seed, kNumber, process,
                   process == 0 ? next_event_ : processes_.at(process).draws++});
}

StatusOr<std::uint64_t> Scheduler::Start(std::string_view name, std::function<void()> work) {
  GORILA_CHECK(current_ != nullptr, "an event of the simulation must not start a thread");
  SimulatedThread& thread = Add(current_->process, name, std::move(work));
  MakeReady(thread);
  return thread.number;
}

void Scheduler::Join(std::uint64_t number) {
  for (auto found = threads_.find(number); found != threads_.end(); found = threads_.find(number)) {
    Block(found->second.get(), SteadyTime::max());
  }
}

ProcessId Scheduler::current_process() const { return current_ == nullptr ? 0 : current_->process; }

std::vector<std::string> Scheduler::Waiting(ProcessId process) const {
  std::vector<std::string> names;
  for (const std::uint64_t number : processes_.at(process).threads) {
    const SimulatedThread& thread = *threads_.at(number);
    if (thread.place != nullptr && thread.deadline.first == SteadyTime::max()) {
      names.push_back(thread.name);
    }
  }
  return names;
}

}  // namespace gorila::simulation
