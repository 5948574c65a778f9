// Parameters and gradients travel while actor and learner compute.
#ifndef GORILA_PARAMETER_SERVER_OVERLAPPED_STORE_H_
#define GORILA_PARAMETER_SERVER_OVERLAPPED_STORE_H_

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/thread.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

// Another store (of shards in other processes), whose pushes and pulls are made by a thread of its
// own. Pull() returns what arrived last and requests what comes next, Push() leaves its gradient to
// the thread. So a gradient is computed from parameters that lack the learner's one or two before
// it, which the shards count as staleness like that of other learners. The price is a copy of
// parameters and gradient each.
//
// An error of the other store is given to every call from then on: its errors are final.
class OverlappedParameterStore final : public ParameterStore {
 public:
  // `store` must outlive this, and each of its calls must end.
  explicit OverlappedParameterStore(ParameterStore& store);
  // Blocks as Settle() does.
  ~OverlappedParameterStore() override;
  OverlappedParameterStore(const OverlappedParameterStore&) = delete;
  OverlappedParameterStore& operator=(const OverlappedParameterStore&) = delete;

  std::size_t size() const override { return store_.size(); }
  int num_shards() const override { return store_.num_shards(); }

  // Blocks only until something came at all.
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override
      GORILA_EXCLUDES(mutex_);
  // Target copies are rare: this one waits for the other store.
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    return store_.PullTarget(values, versions);
  }
  // Blocks while the gradient before is under way. The outcome is of those that were decided since
  // the last call, not of this one.
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override GORILA_EXCLUDES(mutex_);
  std::int64_t UpdateCount() const override { return store_.UpdateCount(); }

  // Seconds that callers of Pull, Push and Settle have been blocked, over all threads.
  double seconds_blocked() const { return static_cast<double>(nanoseconds_.load()) * 1e-9; }

  // Blocks until no gradient is under way. The outcome as Push()'s.
  StatusOr<PushOutcome> Settle() GORILA_EXCLUDES(mutex_);

 private:
  void Loop() GORILA_EXCLUDES(mutex_);
  void PushWaiting() GORILA_REQUIRES(mutex_);
  void PullNewer() GORILA_REQUIRES(mutex_);
  StatusOr<PushOutcome> TakeOutcome() GORILA_REQUIRES(mutex_);
  void WaitForChange() GORILA_REQUIRES(mutex_);

  ParameterStore& store_;

  struct Parameters {
    std::vector<float> values;
    ShardVersions versions;
  };

  Parameters incoming_;  // the thread's alone
  // The thread's while pushing_, without the lock.
  std::vector<float> gradient_;
  ShardVersions computed_from_;

  Mutex mutex_;
  CondVar changed_;
  Parameters latest_ GORILA_GUARDED_BY(mutex_);
  bool wanted_ GORILA_GUARDED_BY(mutex_) = false;   // newer parameters
  bool pulled_ GORILA_GUARDED_BY(mutex_) = false;   // at least once
  bool pushing_ GORILA_GUARDED_BY(mutex_) = false;  // gradient_ waits or is under way
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  PushOutcome outcome_ GORILA_GUARDED_BY(mutex_);  // not given to a caller yet
  Status status_ GORILA_GUARDED_BY(mutex_);        // the first error
  std::atomic<std::int64_t> nanoseconds_{0};       // in WaitForChange
  Thread thread_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_OVERLAPPED_STORE_H_
