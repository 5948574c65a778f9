// One shard of the parameter server: a slice of theta+ with its optimizer, version and target copy.
#ifndef GORILA_PARAMETER_SERVER_SHARD_H_
#define GORILA_PARAMETER_SERVER_SHARD_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/finite.h"
#include "gorila/base/mutex.h"
#include "gorila/parameter_server/optimizer.h"
#include "gorila/parameter_server/parameter_store.h"
#include "gorila/parameter_server/shared_floats.h"

namespace gorila {

struct ShardOptions {
  std::int64_t max_staleness = 1000;  // versions a gradient may lag behind; older ones are refused
  std::int64_t target_period = 1000;  // updates between two target copies (N)
  OptimizerOptions optimizer;
};

// Bucket 0 of a staleness histogram is staleness 0, bucket b is 2^(b-1) to 2^b - 1 versions, and
// the last one has all that is beyond.
inline constexpr std::size_t kStalenessBuckets = 16;
using StalenessHistogram = std::array<std::int64_t, kStalenessBuckets>;

struct ParameterShardCounters {
  std::int64_t accepted = 0;
  std::int64_t stale = 0;
  std::int64_t invalid = 0;
  std::int64_t staleness_sum = 0;  // over accepted gradients, in versions
  StalenessHistogram staleness{};  // of accepted and stale gradients
};

// Everything of a shard that a checkpoint keeps.
struct ShardSnapshot {
  std::int64_t version = 0;
  std::int64_t target_version = 0;
  ParameterShardCounters counters;
  std::vector<float> values;
  std::vector<float> target;
  struct NamedSlot {
    std::string name;
    std::vector<float> values;
  };
  std::vector<NamedSlot> optimizer;
};

// Thread-safe: one lock guards the slice, and no call holds it longer than one pass over the slice,
// or two where a push changes what is shared. Versions are read, and found unchanged, without it.
class ParameterShard {
 public:
  enum class Verdict { kAccepted, kStale, kInvalid };

  // Starts at version 0 with target = values.
  ParameterShard(const ShardOptions& options, std::span<const float> values,
                 std::unique_ptr<Optimizer> optimizer);

  // Applies the gradient unless it is stale or has a NaN or an infinity; a refusal changes nothing
  // but a counter.
  Verdict Push(std::span<const float> gradient, std::int64_t computed_from) GORILA_EXCLUDES(mutex_);
  // The same where the caller knows what SquaresAreFinite(gradient) is.
  Verdict PushChecked(std::span<const float> gradient, bool finite, std::int64_t computed_from)
      GORILA_EXCLUDES(mutex_);

  // Copies the slice when its version is not `have`; true when it did, and sets `have`.
  bool Pull(std::span<float> values, std::int64_t& have) const GORILA_EXCLUDES(mutex_);
  bool PullTarget(std::span<float> values, std::int64_t& have) const GORILA_EXCLUDES(mutex_);

  // The same without waiting: nullopt, and nothing happened, while another call has the slice.
  std::optional<Verdict> TryPushChecked(std::span<const float> gradient, bool finite,
                                        std::int64_t computed_from) GORILA_EXCLUDES(mutex_);
  std::optional<bool> TryPull(std::span<float> values, std::int64_t& have) const
      GORILA_EXCLUDES(mutex_);

  // The same without a copy; null where Pull() copies nothing. The values stay as they are while
  // they are held: the next push copies the slice then.
  std::shared_ptr<const std::vector<float>> Share(std::int64_t& have) const GORILA_EXCLUDES(mutex_);
  std::shared_ptr<const std::vector<float>> ShareTarget(std::int64_t& have) const
      GORILA_EXCLUDES(mutex_);

  // Of the last update that has ended, and of the target copy.
  std::int64_t version() const { return version_.load(std::memory_order_acquire); }
  std::int64_t target_version() const { return target_version_.load(std::memory_order_acquire); }
  ParameterShardCounters counters() const GORILA_EXCLUDES(mutex_);

  ShardSnapshot Snapshot() const GORILA_EXCLUDES(mutex_);
  // InvalidArgument when sizes or optimizer slots differ; then nothing has changed.
  Status Restore(const ShardSnapshot& snapshot) GORILA_EXCLUDES(mutex_);

 private:
  Verdict Decide(std::span<const float> gradient, bool finite, std::int64_t computed_from)
      GORILA_REQUIRES(mutex_);
  bool Copy(std::span<float> values, std::int64_t& have) const GORILA_REQUIRES(mutex_);

  const ShardOptions options_;
  mutable Mutex mutex_;
  SharedFloats values_ GORILA_GUARDED_BY(mutex_);
  SharedFloats target_ GORILA_GUARDED_BY(mutex_);
  std::atomic<std::int64_t> version_{0};         // written under mutex_, after what it stands for
  std::atomic<std::int64_t> target_version_{0};  // as well
  ParameterShardCounters counters_ GORILA_GUARDED_BY(mutex_);
  const std::unique_ptr<Optimizer> optimizer_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_SHARD_H_
