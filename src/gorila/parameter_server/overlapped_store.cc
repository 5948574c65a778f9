#include "gorila/parameter_server/overlapped_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gorila/base/exhaustion.h"
#include "gorila/base/runtime.h"
#include "gorila/base/thread.h"

namespace gorila {

OverlappedParameterStore::OverlappedParameterStore(ParameterStore& store)
    : store_(store),
      incoming_{std::vector<float>(store.size()),
                ShardVersions(static_cast<std::size_t>(store.num_shards()), -1)},
      gradient_(store.size()),
      latest_(incoming_) {
  StatusOr<Thread> started = StartThread("parameters in transit", [this] { Loop(); });
  if (started.ok()) {
    thread_ = *std::move(started);
  } else {
    const MutexLock lock(mutex_);
    status_ = started.status();
  }
}

OverlappedParameterStore::~OverlappedParameterStore() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

StatusOr<bool> OverlappedParameterStore::Pull(std::span<float> values, ShardVersions& versions) {
  const auto shards = static_cast<std::size_t>(num_shards());
  if (values.size() != size() || versions.size() != shards) {
    return InvalidArgument("parameter store: given {} values and {} versions, expected {} and {}",
                           values.size(), versions.size(), size(), shards);
  }
  const MutexLock lock(mutex_);
  wanted_ = true;
  changed_.NotifyAll();
  while (!pulled_ && status_.ok()) WaitForChange();
  GORILA_RETURN_IF_ERROR(status_);
  if (versions == latest_.versions) return false;
  std::copy(latest_.values.begin(), latest_.values.end(), values.begin());
  versions = latest_.versions;
  return true;
}

StatusOr<PushOutcome> OverlappedParameterStore::Push(std::span<const float> gradient,
                                                     const ShardVersions& versions) {
  if (gradient.size() != gradient_.size()) {
    return InvalidArgument("parameter store: given a gradient of {} values, expected {}",
                           gradient.size(), gradient_.size());
  }
  const MutexLock lock(mutex_);
  while (pushing_ && status_.ok()) WaitForChange();
  GORILA_RETURN_IF_ERROR(status_);
  std::copy(gradient.begin(), gradient.end(), gradient_.begin());
  computed_from_ = versions;
  pushing_ = true;
  changed_.NotifyAll();
  return TakeOutcome();
}

StatusOr<PushOutcome> OverlappedParameterStore::Settle() {
  const MutexLock lock(mutex_);
  while (pushing_ && status_.ok()) WaitForChange();
  return TakeOutcome();
}

StatusOr<PushOutcome> OverlappedParameterStore::TakeOutcome() {
  GORILA_RETURN_IF_ERROR(status_);
  return std::exchange(outcome_, {});
}

void OverlappedParameterStore::WaitForChange() {
  const auto started = SteadyNow();
  changed_.Wait(mutex_);
  const std::chrono::nanoseconds blocked = SteadyNow() - started;
  nanoseconds_.fetch_add(blocked.count(), std::memory_order_relaxed);
}

// A gradient before the parameters, which then have it; but never two in a row, or a gradient might
// lack more than the two before it.
void OverlappedParameterStore::Loop() {
  bool pushed = false;  // since the last pull
  const MutexLock lock(mutex_);
  while (status_.ok()) {
    if (pushing_ && !pushed) {
      PushWaiting();
      pushed = true;
    } else if (ending_ && !pushing_) {
      return;
    } else if (pushed || wanted_) {
      PullNewer();
      pushed = false;
    } else {
      changed_.Wait(mutex_);
    }
  }
}

void OverlappedParameterStore::PushWaiting() {
  mutex_.Unlock();
  const StatusOr<PushOutcome> outcome =
      WithoutThrowing([this] { return store_.Push(gradient_, computed_from_); });
  mutex_.Lock();
  pushing_ = false;
  if (outcome.ok()) {
    outcome_ += *outcome;
  } else {
    status_ = outcome.status();
  }
  changed_.NotifyAll();
}

void OverlappedParameterStore::PullNewer() {
  wanted_ = false;
  mutex_.Unlock();
  const StatusOr<bool> changed =
      WithoutThrowing([this] { return store_.Pull(incoming_.values, incoming_.versions); });
  mutex_.Lock();
  if (changed.ok()) {
    std::swap(incoming_, latest_);
    pulled_ = true;
  } else {
    status_ = changed.status();
  }
  changed_.NotifyAll();
}

}  // namespace gorila
