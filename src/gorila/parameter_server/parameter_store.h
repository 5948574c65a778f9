// The parameter-server seam: learners push gradients, actors and learners pull parameters.
#ifndef GORILA_PARAMETER_SERVER_PARAMETER_STORE_H_
#define GORILA_PARAMETER_SERVER_PARAMETER_STORE_H_

#include <cstdint>
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

  // Offers a gradient (size() floats) computed from parameters of `versions`. Each shard decides on
  // its own slice and never takes half of it.
  virtual StatusOr<PushOutcome> Push(std::span<const float> gradient,
                                     const ShardVersions& versions) = 0;

  // The update clock: the version of shard 0. Schedules follow it.
  virtual std::int64_t UpdateCount() const = 0;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_PARAMETER_STORE_H_
