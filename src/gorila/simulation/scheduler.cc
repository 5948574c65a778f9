#include "gorila/simulation/scheduler.h"

#include <algorithm>
#include <functional>
#include <utility>

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
  processes_.push_back({.machine = machine});
  return processes_.size();
}

void Scheduler::Kill(ProcessId process) {
  Process& killed = processes_[process - 1];
  killed.alive = false;
  for (SimulatedThread* thread = killed.oldest; thread != nullptr; thread = thread->younger) {
    StopWaiting(*thread);
    thread->killed = true;
    if (thread->joinable) joinable_.erase(thread->number);
  }
  killed.oldest = killed.youngest = nullptr;
  // A process that kills itself stops here.
  if (current_ != nullptr && current_->process == process) current_->fiber->Suspend();
}

void Scheduler::HaltUntil(ProcessId process, SteadyTime time) {
  Process& halted = processes_[process - 1];
  halted.halted_until = std::max(halted.halted_until, time);
}

void Scheduler::Spawn(ProcessId process, std::string_view name, Task work) {
  if (IsAlive(process)) MakeReady(Add(process, name, std::move(work)));
}

Scheduler::SimulatedThread& Scheduler::Add(ProcessId process, std::string_view name, Task work) {
  if (unused_.empty()) unused_.push_back(&pool_.emplace_back());
  SimulatedThread& added = *unused_.back();
  unused_.pop_back();
  added.number = next_thread_++;
  added.process = process;
  added.name = name;
  added.fiber.emplace(std::move(work));
  added.turns = added.demotions = 0;
  added.joinable = false;
  Process& owner = processes_[process - 1];
  added.older = std::exchange(owner.youngest, &added);
  added.younger = nullptr;
  (added.older == nullptr ? owner.oldest : added.older->younger) = &added;
  return added;
}

void Scheduler::LeaveProcess(SimulatedThread& thread) {
  Process& owner = processes_[thread.process - 1];
  (thread.older == nullptr ? owner.oldest : thread.older->younger) = thread.younger;
  (thread.younger == nullptr ? owner.youngest : thread.younger->older) = thread.older;
}

Scheduler::EventId Scheduler::At(SteadyTime time, Task event) {
  return events_.Add(std::max(time, now_), std::move(event));
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
    if (events_.empty() || events_.first_time() > end) break;
    if (events_.first_time() > now_) steps_at_once_ = 0;
    now_ = events_.first_time();
    Task event = events_.TakeFirst();
    event();
  }
  if (!stopping_ && !stuck()) now_ = std::max(now_, end);
  simulated_runtime = before;
}

void Scheduler::RunReady() {
  SimulatedThread& thread = *ready_.front().thread;
  std::pop_heap(ready_.begin(), ready_.end(), std::greater<>());
  ready_.pop_back();
  if (thread.killed) return;
  const SteadyTime halted_until = processes_[thread.process - 1].halted_until;
  if (halted_until <= now_) return Step(thread);
  // It can do nothing until then, so it has not ended.
  At(halted_until, [this, &thread] {
    if (!thread.killed) MakeReady(thread);
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
  if (thread.killed) return;
  LeaveProcess(thread);
  if (thread.joinable) joinable_.erase(thread.number);
  thread.fiber.reset();
  unused_.push_back(&thread);
}

void Scheduler::MakeReady(SimulatedThread& thread) {
  ready_.push_back({.order = OrderOf(thread), .number = thread.number, .thread = &thread});
  std::push_heap(ready_.begin(), ready_.end(), std::greater<>());
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
  if (thread.place != nullptr) waiting_.Remove(thread);
  Cancel(std::exchange(thread.deadline, EventId()));
}

bool Scheduler::Block(const void* place, SteadyTime deadline) {
  GORILA_CHECK(current_ != nullptr, "an event of the simulation must not block");
  SimulatedThread& thread = *current_;
  thread.timed_out = false;
  waiting_.Add(place, thread);
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
  while (SimulatedThread* const thread = waiting_.First(place)) {
    StopWaiting(*thread);
    MakeReady(*thread);
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
                   process == 0 ? events_.added() + 1 : processes_[process - 1].draws++});
}

StatusOr<std::uint64_t> Scheduler::Start(std::string_view name, std::function<void()> work) {
  GORILA_CHECK(current_ != nullptr, "an event of the simulation must not start a thread");
  SimulatedThread& thread = Add(current_->process, name, std::move(work));
  thread.joinable = true;
  joinable_.emplace(thread.number, &thread);
  MakeReady(thread);
  return thread.number;
}

void Scheduler::Join(std::uint64_t number) {
  for (auto found = joinable_.find(number); found != joinable_.end();
       found = joinable_.find(number)) {
    Block(found->second, SteadyTime::max());
  }
}

ProcessId Scheduler::current_process() const { return current_ == nullptr ? 0 : current_->process; }

std::vector<std::string> Scheduler::Waiting(ProcessId process) const {
  std::vector<std::string> names;
  for (const SimulatedThread* thread = processes_[process - 1].oldest; thread != nullptr;
       thread = thread->younger) {
    if (thread->place != nullptr && thread->deadline.number == 0) names.push_back(thread->name);
  }
  return names;
}

}  // namespace gorila::simulation
