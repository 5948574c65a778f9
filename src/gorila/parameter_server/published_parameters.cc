#include "gorila/parameter_server/published_parameters.h"

#include <utility>

namespace gorila {

bool PublishedParameters::Borrow(const Rule& rule, SharedParameters& values, ShardVersions& have) {
  if (values != nullptr && rule.is_new(have)) return false;
  values.reset();  // before memory for the next copy is sought
  const MutexLock lock(mutex_);
  while (newest_ == nullptr || !rule.is_new(newest_->versions)) {
    if (!making_) {
      MakeNext(rule);
      break;
    }
    if (rule.take_old && newest_ != nullptr) break;
    made_.Wait(mutex_);
  }
  have = newest_->versions;
  values = Lend(newest_);
  return true;
}

// Without the lock while it copies, so that others can take the copy before, where they may.
void PublishedParameters::MakeNext(const Rule& rule) {
  if (!rule.take_old && newest_ != nullptr) others_.push_back(std::exchange(newest_, nullptr));
  const std::shared_ptr<Copy> next = TakeUnread();
  making_ = true;
  mutex_.Unlock();
  rule.pull(next->values, next->versions);
  mutex_.Lock();
  making_ = false;
  if (newest_ != nullptr) others_.push_back(std::exchange(newest_, nullptr));
  newest_ = next;
  made_.NotifyAll();
}

StatusOr<bool> PublishedParameters::Replace(const Fill& fill) {
  std::shared_ptr<Copy> next;
  {
    const MutexLock lock(mutex_);
    next = TakeUnread();
  }
  const StatusOr<bool> filled = fill(next->values, next->versions);
  const MutexLock lock(mutex_);
  if (filled.ok() && *filled) std::swap(newest_, next);
  if (next != nullptr) others_.push_back(std::move(next));
  return filled;
}

SharedParameters PublishedParameters::Newest(ShardVersions& versions) const {
  const MutexLock lock(mutex_);
  if (newest_ == nullptr) return nullptr;
  versions = newest_->versions;
  return Lend(newest_);
}

// Acquire: what readers did comes before what is written next. New readers come under the lock, and
// only to the newest copy, which is not written to. Further unread copies are freed.
std::shared_ptr<PublishedParameters::Copy> PublishedParameters::TakeUnread() {
  std::shared_ptr<Copy> taken;
  std::vector<std::shared_ptr<Copy>> read;
  for (std::shared_ptr<Copy>& copy : others_) {
    const bool is_read = copy->readers.load(std::memory_order_acquire) > 0;
    (is_read ? read.emplace_back() : taken) = std::move(copy);
  }
  others_ = std::move(read);
  return taken != nullptr ? taken : std::make_shared<Copy>(size_, shards_);
}

SharedParameters PublishedParameters::Lend(const std::shared_ptr<Copy>& copy) {
  copy->readers.fetch_add(1, std::memory_order_relaxed);
  return {&copy->values, [copy](const std::vector<float>*) {
            copy->readers.fetch_sub(1, std::memory_order_release);
          }};
}

std::size_t PublishedParameters::copies() const {
  const MutexLock lock(mutex_);
  return others_.size() + (newest_ != nullptr ? 1 : 0);
}

}  // namespace gorila
