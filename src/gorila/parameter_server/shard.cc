#include "gorila/parameter_server/shard.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "gorila/base/vectorise.h"
#include "gorila/parameter_server/snapshot_check.h"

namespace gorila {

GORILA_VECTORISE
bool SquaresAreFinite(std::span<const float> values) {
  // Without the sign, floats are ordered as their bits; an integer maximum vectorises where a float
  // one may not.
  std::uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffu);
  }
  return largest < std::bit_cast<std::uint32_t>(0x1p64f);
}

namespace {

std::size_t StalenessBucket(std::int64_t staleness) {
  const auto versions = static_cast<std::uint64_t>(std::max<std::int64_t>(staleness, 0));
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(versions)),
                               kStalenessBuckets - 1);
}

}  // namespace

ParameterShard::ParameterShard(const ShardOptions& options, std::span<const float> values,
                               std::unique_ptr<Optimizer> optimizer)
    : options_(options), values_(values), target_(values), optimizer_(std::move(optimizer)) {
  GORILA_CHECK(options_.target_period > 0, "target_period {}", options_.target_period);
}

ParameterShard::Verdict ParameterShard::Push(std::span<const float> gradient,
                                             std::int64_t computed_from) {
  const bool valid = SquaresAreFinite(gradient);  // outside the lock
  const MutexLock lock(mutex_);
  GORILA_CHECK(gradient.size() == values_.values().size(), "{} {}", gradient.size(),
               values_.values().size());
  const std::int64_t staleness = version_ - computed_from;
  if (!valid) {
    ++counters_.invalid;
    return Verdict::kInvalid;
  }
  ++counters_.staleness[StalenessBucket(staleness)];
  if (staleness > options_.max_staleness) {
    ++counters_.stale;
    return Verdict::kStale;
  }
  ++version_;
  ++counters_.accepted;
  counters_.staleness_sum += staleness;
  optimizer_->Apply(values_.Mutable(), gradient,
                    static_cast<float>(LearningRate(options_.optimizer, version_)), version_);
  if (version_ % options_.target_period == 0) {
    target_.Assign(values_.values());
    target_version_ = version_;
  }
  return Verdict::kAccepted;
}

bool ParameterShard::Pull(std::span<float> values, std::int64_t& have) const {
  const MutexLock lock(mutex_);
  if (have == version_) return false;
  std::copy(values_.values().begin(), values_.values().end(), values.begin());
  have = version_;
  return true;
}

bool ParameterShard::PullTarget(std::span<float> values, std::int64_t& have) const {
  const MutexLock lock(mutex_);
  if (have == target_version_) return false;
  std::copy(target_.values().begin(), target_.values().end(), values.begin());
  have = target_version_;
  return true;
}

std::shared_ptr<const std::vector<float>> ParameterShard::Share(std::int64_t& have) const {
  const MutexLock lock(mutex_);
  if (std::exchange(have, version_) == version_) return nullptr;
  return values_.Share();
}

std::shared_ptr<const std::vector<float>> ParameterShard::ShareTarget(std::int64_t& have) const {
  const MutexLock lock(mutex_);
  if (std::exchange(have, target_version_) == target_version_) return nullptr;
  return target_.Share();
}

std::int64_t ParameterShard::version() const {
  const MutexLock lock(mutex_);
  return version_;
}

std::int64_t ParameterShard::target_version() const {
  const MutexLock lock(mutex_);
  return target_version_;
}

ParameterShardCounters ParameterShard::counters() const {
  const MutexLock lock(mutex_);
  return counters_;
}

ShardSnapshot ParameterShard::Snapshot() const {
  const MutexLock lock(mutex_);
  ShardSnapshot snapshot{version_,         target_version_,  counters_,
                         values_.values(), target_.values(), {}};
  for (const Optimizer::Slot& slot : std::as_const(*optimizer_).slots()) {
    snapshot.optimizer.push_back({std::string(slot.name), slot.values});
  }
  return snapshot;
}

Status ParameterShard::Restore(const ShardSnapshot& snapshot) {
  const MutexLock lock(mutex_);
  const std::size_t size = values_.values().size();
  if (snapshot.values.size() != size || snapshot.target.size() != size) {
    return InvalidArgument("parameter shard: snapshot has {} values, expected {}",
                           snapshot.values.size(), size);
  }
  const std::span<Optimizer::Slot> slots = optimizer_->slots();
  const bool same_slots =
      std::equal(slots.begin(), slots.end(), snapshot.optimizer.begin(), snapshot.optimizer.end(),
                 [](const Optimizer::Slot& mine, const ShardSnapshot::NamedSlot& theirs) {
                   return mine.name == theirs.name && mine.values.size() == theirs.values.size();
                 });
  if (!same_slots) {
    return InvalidArgument(
        "parameter shard: the snapshot was made with another optimizer than '{}'; restore "
        "optimizer.name, or start a new run",
        options_.optimizer.name);
  }
  GORILA_RETURN_IF_ERROR(CheckFinite(snapshot));
  values_.Assign(snapshot.values);
  target_.Assign(snapshot.target);
  version_ = snapshot.version;
  target_version_ = snapshot.target_version;
  counters_ = snapshot.counters;
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i].values = snapshot.optimizer[i].values;
  return OkStatus();
}

}  // namespace gorila
