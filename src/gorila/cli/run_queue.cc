#include "gorila/cli/run_queue.h"

#include <utility>

namespace gorila::cli {
namespace {

constexpr std::chrono::milliseconds kBusyLook{500};

}  // namespace

RunQueue::RunQueue(const std::vector<std::size_t>& runs, int threads,
                   std::chrono::milliseconds patience)
    : patience_(patience), threads_(threads) {
  for (const std::size_t run : runs) left_.push_back({.run = run});
}

std::optional<std::size_t> RunQueue::Take() {
  const MutexLock lock(mutex_);
  while (!stopped_ && !left_.empty()) {
    const Waiting next = left_.front();
    if (next.due <= std::chrono::steady_clock::now()) {
      left_.pop_front();
      running_.insert(next.run);
      return next.run;
    }
    changed_.WaitUntil(mutex_, next.due);
  }
  return std::nullopt;
}

bool RunQueue::PutBack(std::size_t run) {
  const MutexLock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  const auto since = busy_since_.emplace(run, now).first->second;
  if (now - since > patience_) return false;
  left_.push_back({.run = run, .due = now + kBusyLook});
  running_.erase(run);
  return true;
}

void RunQueue::Report(std::size_t run, RunOutcome outcome) {
  const MutexLock lock(mutex_);
  reported_.push_back({.run = run, .outcome = std::move(outcome)});
  running_.erase(run);
  changed_.NotifyAll();
}

void RunQueue::EndThread() {
  const MutexLock lock(mutex_);
  --threads_;
  changed_.NotifyAll();
}

void RunQueue::Stop() {
  const MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

std::vector<RunQueue::Reported> RunQueue::TakeReported(TimePoint deadline) {
  const MutexLock lock(mutex_);
  while (reported_.empty() && threads_ > 0) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  return std::exchange(reported_, {});
}

std::vector<std::size_t> RunQueue::running() const {
  const MutexLock lock(mutex_);
  return {running_.begin(), running_.end()};
}

bool RunQueue::ended() const {
  const MutexLock lock(mutex_);
  return threads_ == 0;
}

}  // namespace gorila::cli
