#include "gorila/replay/prefetching_replay.h"

#include <utility>

#include "gorila/base/exhaustion.h"
#include "gorila/base/thread.h"

namespace gorila {

PrefetchingReplay::PrefetchingReplay(Replay& replay, const PrefetchOptions& options,
                                     std::atomic<bool>& ending)
    : replay_(replay), ending_(ending) {
  const MutexLock lock(mutex_);
  for (int i = 0; i < options.minibatches; ++i) aheads_.emplace_back(options.memory);
  threads_.reserve(aheads_.size());
  for (Ahead& ahead : aheads_) {
    StatusOr<Thread> started = StartThread("prefetching", [this, &ahead] { Loop(ahead); });
    failure_.Update(started.status());
    if (!started.ok()) return;
    threads_.push_back(*std::move(started));
  }
}

PrefetchingReplay::~PrefetchingReplay() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.NotifyAll();
  for (Thread& thread : threads_) thread.join();
}

Status PrefetchingReplay::Sample(int size, TransitionBatch& batch) {
  const MutexLock lock(mutex_);
  GORILA_RETURN_IF_ERROR(failure_);
  for (Ahead& ahead : aheads_) {
    if (ahead.state == Ahead::State::kIdle) Begin(ahead, size);
  }
  Ahead* first = FirstOf(size);
  for (; first == nullptr; first = FirstOf(size)) changed_.Wait(mutex_);
  Status status = std::move(first->status);
  if (status.ok()) {
    std::swap(batch, first->batch);
    Begin(*first, size);
  } else {
    first->state = Ahead::State::kIdle;  // the caller decides whether there is a next one
  }
  return status;
}

void PrefetchingReplay::Begin(Ahead& ahead, int size) {
  ahead.size = size;
  ahead.state = Ahead::State::kWanted;
  changed_.NotifyAll();
}

// Null while there is none. What is there of another size is begun anew.
PrefetchingReplay::Ahead* PrefetchingReplay::FirstOf(int size) {
  Ahead* first = nullptr;
  for (Ahead& ahead : aheads_) {
    if (ahead.state != Ahead::State::kThere) continue;
    if (ahead.size != size) {
      Begin(ahead, size);
    } else if (first == nullptr || ahead.order < first->order) {
      first = &ahead;
    }
  }
  return first;
}

void PrefetchingReplay::Loop(Ahead& ahead) {
  const MutexLock lock(mutex_);
  while (!ending_) {
    if (ahead.state != Ahead::State::kWanted) {
      changed_.Wait(mutex_);
      continue;
    }
    ahead.state = Ahead::State::kSampling;
    const int size = ahead.size;
    mutex_.Unlock();
    Status status = WithoutThrowing([&] { return replay_.Sample(size, ahead.batch); });
    mutex_.Lock();
    ahead.status = std::move(status);
    ahead.state = Ahead::State::kThere;
    ahead.order = sampled_++;
    changed_.NotifyAll();
  }
}

}  // namespace gorila
