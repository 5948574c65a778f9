#include "gorila/evaluation/evaluation_thread.h"

#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/exhaustion.h"
#include "gorila/base/thread.h"

namespace gorila {

EvaluationThread::EvaluationThread(Work work) : work_(std::move(work)) {
  StatusOr<Thread> started = StartThread("evaluation", [this] { Run(); });
  if (started.ok()) {
    thread_ = *std::move(started);
  } else {
    const MutexLock lock(mutex_);
    failure_ = started.status();
  }
}

EvaluationThread::~EvaluationThread() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

bool EvaluationThread::Full() const {
  const MutexLock lock(mutex_);
  return offered_.size() >= kMostOffered;
}

void EvaluationThread::Offer(SharedNetwork network) {
  const MutexLock lock(mutex_);
  offered_.push_back(std::move(network));
  changed_.NotifyAll();
}

StatusOr<std::vector<ScoredNetwork>> EvaluationThread::Take() {
  const MutexLock lock(mutex_);
  if (!failure_.ok() && scored_.empty()) return failure_;
  return std::exchange(scored_, {});
}

std::vector<SharedNetwork> EvaluationThread::Untaken() const {
  const MutexLock lock(mutex_);
  std::vector<SharedNetwork> networks;
  for (const ScoredNetwork& scored : scored_) networks.push_back(scored.network);
  networks.insert(networks.end(), offered_.begin(), offered_.end());
  return networks;
}

bool EvaluationThread::WaitUntilDone(std::chrono::steady_clock::time_point deadline) {
  const MutexLock lock(mutex_);
  while (!offered_.empty() && failure_.ok()) {
    if (!changed_.WaitUntil(mutex_, deadline)) return offered_.empty() || !failure_.ok();
  }
  return true;
}

void EvaluationThread::Run() {
  FlushDenormalsInThisThread();
  while (SharedNetwork network = Next()) {
    Done(WithoutThrowing([&] { return work_(std::move(network), [this] { return Ending(); }); }));
  }
}

SharedNetwork EvaluationThread::Next() {
  const MutexLock lock(mutex_);
  while (offered_.empty() && !ending_) changed_.Wait(mutex_);
  return ending_ || !failure_.ok() ? nullptr : offered_.front();
}

void EvaluationThread::Done(StatusOr<ScoredNetwork> scored) {
  const MutexLock lock(mutex_);
  if (scored.ok()) {
    scored_.push_back(*std::move(scored));
    offered_.pop_front();
  } else {
    failure_ = scored.status();  // the network stays offered: nobody scored it
  }
  changed_.NotifyAll();
}

bool EvaluationThread::Ending() const {
  const MutexLock lock(mutex_);
  return ending_;
}

}  // namespace gorila
