#include "gorila/replay/prefetching_replay.h"

#include <utility>

namespace gorila {

PrefetchingReplay::PrefetchingReplay(Replay& replay, std::pmr::memory_resource* memory,
                                     std::atomic<bool>& ending)
    : replay_(replay), ending_(ending), next_(memory), thread_([this] { Loop(); }) {}

PrefetchingReplay::~PrefetchingReplay() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

Status PrefetchingReplay::Sample(int size, TransitionBatch& batch) {
  const MutexLock lock(mutex_);
  if (size_ == 0) Begin(size);
  WaitUntilSampled();
  if (size_ != size) {
    Begin(size);
    WaitUntilSampled();
  }
  const Status status = status_;
  if (status.ok()) {
    std::swap(batch, next_);
    Begin(size);
  } else {
    size_ = 0;  // the caller decides whether there is a next one
  }
  return status;
}

void PrefetchingReplay::Begin(int size) {
  size_ = size;
  sampled_ = false;
  changed_.NotifyAll();
}

void PrefetchingReplay::WaitUntilSampled() {
  while (!sampled_) changed_.Wait(mutex_);
}

void PrefetchingReplay::Loop() {
  const MutexLock lock(mutex_);
  while (!ending_) {
    if (size_ == 0 || sampled_) {
      changed_.Wait(mutex_);
      continue;
    }
    const int size = size_;
    mutex_.Unlock();
    const Status status = replay_.Sample(size, next_);
    mutex_.Lock();
    status_ = status;
    sampled_ = true;
    changed_.NotifyAll();
  }
}

}  // namespace gorila
