#include "gorila/parameter_server/overlapped_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gorila/base/exhaustion.h"
#include "gorila/base/runtime.h"
#include "gorila/base/thread.h"

namespace gorila {

namespace {

// An exchange answers the calls for parameters since the one before; with more than this no
// gradient seems to come.
constexpr int kMostUnanswered = 2;

}  // namespace

OverlappedParameterStore::OverlappedParameterStore(ParameterStore& store, int pull_every,
                                                   ExchangeStore* exchange)
    : store_(store),
      pull_every_(pull_every),
      exchange_(exchange),
      partition_(MakePartition(store.size(), store.num_shards()).value()),
      latest_(store.size(), partition_.size()),
      gradients_{std::vector<float>(store.size()), std::vector<float>(store.size())} {
  Begin(push_thread_, "gradients in transit", &OverlappedParameterStore::PushLoop);
  Begin(pull_thread_, "parameters in transit", &OverlappedParameterStore::PullLoop);
}

OverlappedParameterStore::~OverlappedParameterStore() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.NotifyAll();
  if (push_thread_.joinable()) push_thread_.join();
  if (pull_thread_.joinable()) pull_thread_.join();
}

void OverlappedParameterStore::Begin(Thread& thread, const char* name,
                                     void (OverlappedParameterStore::*loop)()) {
  StatusOr<Thread> started = StartThread(name, [this, loop] { (this->*loop)(); });
  if (started.ok()) {
    thread = *std::move(started);
    return;
  }
  const MutexLock lock(mutex_);
  if (status_.ok()) status_ = started.status();
  changed_.NotifyAll();
}

Status OverlappedParameterStore::CheckSizes(std::size_t values, std::size_t versions) const {
  if (values == size() && versions == partition_.size()) return OkStatus();
  return InvalidArgument("parameter store: given {} values and {} versions, expected {} and {}",
                         values, versions, size(), partition_.size());
}

// Says that newer ones are wanted, too.
Status OverlappedParameterStore::WaitForParameters() {
  const MutexLock lock(mutex_);
  ++wanted_;
  changed_.NotifyAll();
  while (!pulled_ && status_.ok()) WaitForChange();
  return status_;
}

StatusOr<bool> OverlappedParameterStore::Pull(std::span<float> values, ShardVersions& versions) {
  GORILA_RETURN_IF_ERROR(CheckSizes(values.size(), versions.size()));
  GORILA_RETURN_IF_ERROR(WaitForParameters());
  ShardVersions newest;
  const SharedParameters latest = latest_.Newest(newest);
  if (versions == newest) return false;
  std::copy(latest->begin(), latest->end(), values.begin());
  versions = newest;
  return true;
}

StatusOr<bool> OverlappedParameterStore::Borrow(ParameterSet set, Newness, SharedParameters& values,
                                                ShardVersions& versions) {
  GORILA_CHECK(Lends(set), "{}", static_cast<int>(set));
  GORILA_RETURN_IF_ERROR(CheckSizes(size(), versions.size()));
  GORILA_RETURN_IF_ERROR(WaitForParameters());
  ShardVersions newest;
  SharedParameters latest = latest_.Newest(newest);
  if (values != nullptr && versions == newest) return false;
  values = std::move(latest);
  versions = newest;
  return true;
}

std::span<float> OverlappedParameterStore::LendGradient() {
  const MutexLock lock(mutex_);
  return gradients_[lent_];
}

StatusOr<PushOutcome> OverlappedParameterStore::Push(std::span<const float> gradient,
                                                     const ShardVersions& versions) {
  if (gradient.size() != size()) {
    return InvalidArgument("parameter store: given a gradient of {} values, expected {}",
                           gradient.size(), size());
  }
  const MutexLock lock(mutex_);
  while (pushing_ && status_.ok()) WaitForChange();
  GORILA_RETURN_IF_ERROR(status_);
  std::vector<float>& lent = gradients_[lent_];
  if (gradient.data() != lent.data()) std::copy(gradient.begin(), gradient.end(), lent.begin());
  lent_ = 1 - lent_;
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

// Whoever ends wakes the other, which may wait for it.
void OverlappedParameterStore::PushLoop() {
  const MutexLock lock(mutex_);
  while (status_.ok()) {
    if (pushing_ && MayPush()) {
      PushWaiting();
    } else if (ending_ && !pushing_) {
      return;
    } else {
      changed_.Wait(mutex_);
    }
  }
}

void OverlappedParameterStore::PullLoop() {
  const MutexLock lock(mutex_);
  while (status_.ok()) {
    if (ending_ && !pushing_) {
      return;
    } else if (ShouldPull()) {
      PullNewer();
    } else {
      changed_.Wait(mutex_);
    }
  }
}

// With pull_every = 1 the parameters that have come lack at most one of the pushes that have ended.
// When Push() returns its gradient waits and the one before it has ended; so the next gradient's
// parameters lack these two and at most one more.
// An exchange has none of this: it only must not meet a pull.
bool OverlappedParameterStore::MayPush() const {
  return exchange_ != nullptr ? !pulling_ : pushes_ - pull_has_ <= pull_every_;
}

// Once after each push, or each pull_every, which may be while the next is under way. Or when a
// caller wants something newer and no gradient that will change it is under way; one that asks but
// every few pushes gets it from the pull that they bring about, unless it has to ask again.
// Exchanges bring what is newer, unless a caller that has pushed asks and asks and pushes no more.
bool OverlappedParameterStore::ShouldPull() const {
  if (exchange_ != nullptr) return !pushing_ && wanted_ > (pushes_ > 0 ? kMostUnanswered : 0);
  if (pushes_ - pull_began_ >= pull_every_) return true;
  return !pushing_ && wanted_ > (pull_every_ > 1 && pulled_ ? 1 : 0);
}

void OverlappedParameterStore::PushWaiting() {
  const std::vector<float>& gradient = gradients_[1 - lent_];
  const bool exchanges = exchange_ != nullptr && pushes_ + 1 - pull_began_ >= pull_every_;
  if (exchanges) {
    wanted_ = 0;
    pull_began_ = pushes_ + 1;
  }
  mutex_.Unlock();
  const StatusOr<PushOutcome> outcome = WithoutThrowing([&] {
    return exchanges ? ExchangeWaiting(gradient) : store_.Push(gradient, computed_from_);
  });
  mutex_.Lock();
  pushing_ = false;
  ++pushes_;
  if (outcome.ok()) {
    outcome_ += *outcome;
  } else if (status_.ok()) {
    status_ = outcome.status();
  }
  changed_.NotifyAll();
}

StatusOr<PushOutcome> OverlappedParameterStore::ExchangeWaiting(std::span<const float> gradient) {
  PushOutcome slices;
  const StatusOr<bool> changed =
      Replace([&](std::span<float> values, ShardVersions& versions) -> StatusOr<bool> {
        GORILA_ASSIGN_OR_RETURN(const ExchangeOutcome outcome,
                                exchange_->Exchange(gradient, computed_from_, values, versions));
        slices = outcome.slices;
        return outcome.changed;
      });
  GORILA_RETURN_IF_ERROR(changed.status());
  return slices;
}

StatusOr<bool> OverlappedParameterStore::Replace(const PullInto& pull) {
  return latest_.Replace([&](std::span<float> values, ShardVersions& versions) {
    return Fill(pull, values, versions);
  });
}

// Asks for what is newer than the latest, so that nothing travels twice; slices that are not are
// copied from there.
StatusOr<bool> OverlappedParameterStore::Fill(const PullInto& pull, std::span<float> values,
                                              ShardVersions& versions) {
  ShardVersions newest;
  const SharedParameters latest = latest_.Newest(newest);
  if (latest == nullptr) return pull(values, versions);
  ShardVersions pulled = newest;
  GORILA_ASSIGN_OR_RETURN(const bool changed, pull(values, pulled));
  if (!changed) return false;
  for (std::size_t i = 0; i < partition_.size(); ++i) {
    const Slice& slice = partition_[i];
    if (pulled[i] != newest[i] || versions[i] == newest[i]) continue;
    std::copy_n(latest->begin() + static_cast<std::ptrdiff_t>(slice.begin), slice.size(),
                values.begin() + static_cast<std::ptrdiff_t>(slice.begin));
  }
  versions = pulled;
  return true;
}

void OverlappedParameterStore::PullNewer() {
  wanted_ = 0;
  pull_began_ = pushes_;
  pulling_ = true;
  mutex_.Unlock();
  const StatusOr<bool> changed = WithoutThrowing([this] {
    return Replace([this](std::span<float> values, ShardVersions& versions) {
      return store_.Pull(values, versions);
    });
  });
  mutex_.Lock();
  pulling_ = false;
  if (changed.ok()) {
    pulled_ = true;
    pull_has_ = pull_began_;
  } else if (status_.ok()) {
    status_ = changed.status();
  }
  changed_.NotifyAll();
}

}  // namespace gorila
