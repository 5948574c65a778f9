// Parameters and gradients travel while actor and learner compute.
#ifndef GORILA_PARAMETER_SERVER_OVERLAPPED_STORE_H_
#define GORILA_PARAMETER_SERVER_OVERLAPPED_STORE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/thread.h"
#include "gorila/parameter_server/exchange_store.h"
#include "gorila/parameter_server/parameter_store.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/published_parameters.h"

namespace gorila {

// Another store (of shards in other processes), whose pushes and pulls are made by a thread each,
// so that both directions of a link are used at once. Pull() returns what arrived last and requests
// what comes next, Push() leaves its gradient to its thread. So a gradient is computed from
// parameters that lack the learner's one or two before it, at times three, which the shards count
// as staleness like that of other learners. Parameters are lent where they arrived, and memory for
// gradients where they are sent from, so neither is copied unless the caller wants it elsewhere.
//
// Where the other store can exchange them in one call, parameters come with the answer to a
// gradient, and a gradient lacks at most the one before it.
//
// An error of the other store is given to every call from then on: its errors are final.
class OverlappedParameterStore final : public ParameterStore {
 public:
  // `store` must outlive this, and each of its calls must end. `pull_every`: pushes between two
  // pulls of a caller that asks for parameters no more often than that. `exchange`: the same store,
  // or null to push and pull at the same time.
  explicit OverlappedParameterStore(ParameterStore& store, int pull_every = 1,
                                    ExchangeStore* exchange = nullptr);
  // Blocks as Settle() does.
  ~OverlappedParameterStore() override;
  OverlappedParameterStore(const OverlappedParameterStore&) = delete;
  OverlappedParameterStore& operator=(const OverlappedParameterStore&) = delete;

  std::size_t size() const override { return store_.size(); }
  int num_shards() const override { return store_.num_shards(); }

  // Both block only until something came at all.
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override
      GORILA_EXCLUDES(mutex_);
  bool Lends(ParameterSet set) const override { return set == ParameterSet::kOnline; }
  StatusOr<bool> Borrow(ParameterSet set, Newness newness, SharedParameters& values,
                        ShardVersions& versions) override GORILA_EXCLUDES(mutex_);
  // Target copies are rare: this one waits for the other store.
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    return store_.PullTarget(values, versions);
  }
  // Two buffers in turns: one is filled while the other is under way.
  std::span<float> LendGradient() override GORILA_EXCLUDES(mutex_);
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
  void Begin(Thread& thread, const char* name, void (OverlappedParameterStore::*loop)());
  void PushLoop() GORILA_EXCLUDES(mutex_);
  void PullLoop() GORILA_EXCLUDES(mutex_);
  bool MayPush() const GORILA_REQUIRES(mutex_);
  bool ShouldPull() const GORILA_REQUIRES(mutex_);
  Status CheckSizes(std::size_t values, std::size_t versions) const;
  Status WaitForParameters() GORILA_EXCLUDES(mutex_);
  using PullInto = std::function<StatusOr<bool>(std::span<float> values, ShardVersions& versions)>;
  StatusOr<bool> Replace(const PullInto& pull);
  StatusOr<bool> Fill(const PullInto& pull, std::span<float> values, ShardVersions& versions);
  StatusOr<PushOutcome> ExchangeWaiting(std::span<const float> gradient);
  void PushWaiting() GORILA_REQUIRES(mutex_);
  void PullNewer() GORILA_REQUIRES(mutex_);
  StatusOr<PushOutcome> TakeOutcome() GORILA_REQUIRES(mutex_);
  void WaitForChange() GORILA_REQUIRES(mutex_);

  ParameterStore& store_;

  const int pull_every_;
  ExchangeStore* const exchange_;  // null: none
  const std::vector<Slice> partition_;
  PublishedParameters latest_;
  // Lent to the caller, but for the one that is under way: while pushing_, the pushing thread reads
  // that without the lock, as it does computed_from_.
  std::array<std::vector<float>, 2> gradients_;
  ShardVersions computed_from_;

  Mutex mutex_;
  CondVar changed_;
  int wanted_ GORILA_GUARDED_BY(mutex_) = 0;               // calls since a pull last began
  bool pulled_ GORILA_GUARDED_BY(mutex_) = false;          // at least once
  bool pushing_ GORILA_GUARDED_BY(mutex_) = false;         // a gradient waits or is under way
  bool pulling_ GORILA_GUARDED_BY(mutex_) = false;         // not with a gradient
  std::size_t lent_ GORILA_GUARDED_BY(mutex_) = 0;         // of gradients_; the other is under way
  std::int64_t pushes_ GORILA_GUARDED_BY(mutex_) = 0;      // that have ended
  std::int64_t pull_began_ GORILA_GUARDED_BY(mutex_) = 0;  // after so many of them: the last pull,
  std::int64_t pull_has_ GORILA_GUARDED_BY(mutex_) = 0;    // and the last that has ended
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  PushOutcome outcome_ GORILA_GUARDED_BY(mutex_);  // not given to a caller yet
  Status status_ GORILA_GUARDED_BY(mutex_);        // the first error
  std::atomic<std::int64_t> nanoseconds_{0};       // in WaitForChange
  Thread push_thread_;
  Thread pull_thread_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_OVERLAPPED_STORE_H_
