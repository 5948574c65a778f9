// The parameter-server seam: learners push gradients, actors and learners pull parameters.
#ifndef GORILA_PARAMETER_SERVER_PARAMETER_STORE_H_
#define GORILA_PARAMETER_SERVER_PARAMETER_STORE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// The version of each shard's slice: how many updates were applied to it. -1 = never pulled.
using ShardVersions = std::vector<std::int64_t>;

// The outcome of one gradient, counted in slices (one per shard).
struct PushOutcome {
  std::int64_t accepted = 0;
  std::int64_t stale = 0;    // computed from parameters more than max_staleness versions old
  std::int64_t invalid = 0;  // a NaN, an infinity or a number beyond +-2^64 in the slice

  PushOutcome& operator+=(const PushOutcome& other) {
    accepted += other.accepted;
    stale += other.stale;
    invalid += other.invalid;
    return *this;
  }
};

// Parameters in memory that others read too; they stay as they are while they are held.
using SharedParameters = std::shared_ptr<const std::vector<float>>;

enum class ParameterSet { kOnline, kTarget };

// Which copy Borrow() gives.
enum class Newness { kUsual, kNewest };

// All methods are thread-safe.
class ParameterStore {
 public:
  virtual ~ParameterStore() = default;

  virtual std::size_t size() const = 0;  // floats in the flat vector
  virtual int num_shards() const = 0;

  // Copies every slice of another version than `versions` says into `values` (size() floats) and
  // notes its version. Each slice is consistent in itself; slices of different shards may be of
  // different updates, as in the paper. True when anything was copied. `versions`: num_shards()
  // long.
  virtual StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) = 0;

  // The same for the target parameters theta-: the copy that each shard takes of its own slice
  // whenever its version passes a multiple of the target period (paper section 4.2).
  virtual StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) = 0;

  // Whether Borrow() gives these without a copy for each caller.
  virtual bool Lends(ParameterSet set) const {
    static_cast<void>(set);
    return false;
  }
  // As Pull() or PullTarget(), from a copy that all callers share, which may lack as many updates
  // as the store says unless the newest is wanted. Gives back what `values` had before it sets it.
  // Only where the store lends the set.
  virtual StatusOr<bool> Borrow(ParameterSet set, Newness newness, SharedParameters& values,
                                ShardVersions& versions) {
    static_cast<void>(values);
    static_cast<void>(versions);
    return absl::UnimplementedError(fmt::format("parameter store: does not lend set {} ({})",
                                                static_cast<int>(set), static_cast<int>(newness)));
  }

  // Memory (size() floats) for the next gradient, from which a push need not copy it; empty where
  // any memory is as good. For one learner at a time; the same again until it was pushed.
  virtual std::span<float> LendGradient() { return {}; }

  // Offers a gradient (size() floats) computed from parameters of `versions`. Each shard decides on
  // its own slice and never takes half of it.
  virtual StatusOr<PushOutcome> Push(std::span<const float> gradient,
                                     const ShardVersions& versions) = 0;

  // The same for a gradient of which SquaresAreFinite() is known: a store that need not ask again
  // saves a pass over it.
  virtual StatusOr<PushOutcome> PushFinite(std::span<const float> gradient,
                                           const ShardVersions& versions) {
    return Push(gradient, versions);
  }

  // For sums of gradients (learner.push_every) where the caller's vector is one part of each
  // gradient and others have the rest (group_store.h): the others add their parts of the latest
  // gradient to those of the `summed` before it. With `last` the next push sends the sums.
  virtual void AddUpElsewhere(int summed, bool last) {
    static_cast<void>(summed);
    static_cast<void>(last);
  }
  // The sum of `summed` gradients as the flat parameter vector; `own` is the caller's part. Empty
  // when another part is lost.
  virtual std::vector<float> WholeSum(std::span<const float> own, int summed) {
    static_cast<void>(summed);
    return {own.begin(), own.end()};
  }
  // Back from it, to `own` and to the others. DataLoss when it has another size.
  virtual Status RestoreWholeSum(std::span<const float> whole, int summed, std::span<float> own) {
    static_cast<void>(summed);
    return CopySum(whole, own);
  }

  // The update clock: the version of shard 0. Schedules follow it.
  virtual std::int64_t UpdateCount() const = 0;

 protected:
  static Status CopySum(std::span<const float> whole, std::span<float> own) {
    if (whole.size() != own.size()) {
      return DataLoss("a sum of gradients has {} numbers; expected {}", whole.size(), own.size());
    }
    std::copy(whole.begin(), whole.end(), own.begin());
    return OkStatus();
  }
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_PARAMETER_STORE_H_
