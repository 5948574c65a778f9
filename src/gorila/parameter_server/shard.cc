#include "gorila/parameter_server/shard.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "gorila/parameter_server/snapshot_check.h"

namespace gorila {

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
  return PushChecked(gradient, SquaresAreFinite(gradient), computed_from);
}

ParameterShard::Verdict ParameterShard::PushChecked(std::span<const float> gradient, bool finite,
                                                    std::int64_t computed_from) {
  const MutexLock lock(mutex_);
  return Decide(gradient, finite, computed_from);
}

std::optional<ParameterShard::Verdict> ParameterShard::TryPushChecked(
    std::span<const float> gradient, bool finite, std::int64_t computed_from) {
  if (!mutex_.TryLock()) return std::nullopt;
  const MutexLock lock(mutex_, std::adopt_lock);
  return Decide(gradient, finite, computed_from);
}

ParameterShard::Verdict ParameterShard::Decide(std::span<const float> gradient, bool finite,
                                               std::int64_t computed_from) {
  GORILA_CHECK(gradient.size() == values_.values().size(), "{} {}", gradient.size(),
               values_.values().size());
  if (!finite) {
    ++counters_.invalid;
    return Verdict::kInvalid;
  }
  const std::int64_t next = version_.load(std::memory_order_relaxed) + 1;
  const std::int64_t staleness = next - 1 - computed_from;
  ++counters_.staleness[StalenessBucket(staleness)];
  if (staleness > options_.max_staleness) {
    ++counters_.stale;
    return Verdict::kStale;
  }
  ++counters_.accepted;
  counters_.staleness_sum += staleness;
  optimizer_->Apply(values_.Mutable(), gradient,
                    static_cast<float>(LearningRate(options_.optimizer, next)), next);
  version_.store(next, std::memory_order_release);
  if (next % options_.target_period == 0) {
    target_.Assign(values_.values());
    target_version_.store(next, std::memory_order_release);
  }
  return Verdict::kAccepted;
}

bool ParameterShard::Pull(std::span<float> values, std::int64_t& have) const {
  if (have == version()) return false;
  const MutexLock lock(mutex_);
  return Copy(values, have);
}

std::optional<bool> ParameterShard::TryPull(std::span<float> values, std::int64_t& have) const {
  if (have == version()) return false;
  if (!mutex_.TryLock()) return std::nullopt;
  const MutexLock lock(mutex_, std::adopt_lock);
  return Copy(values, have);
}

bool ParameterShard::Copy(std::span<float> values, std::int64_t& have) const {
  if (std::exchange(have, version()) == version()) return false;
  std::copy(values_.values().begin(), values_.values().end(), values.begin());
  return true;
}

bool ParameterShard::PullTarget(std::span<float> values, std::int64_t& have) const {
  if (have == target_version()) return false;
  const MutexLock lock(mutex_);
  if (std::exchange(have, target_version()) == target_version()) return false;
  std::copy(target_.values().begin(), target_.values().end(), values.begin());
  return true;
}

std::shared_ptr<const std::vector<float>> ParameterShard::Share(std::int64_t& have) const {
  const MutexLock lock(mutex_);
  if (std::exchange(have, version()) == version()) return nullptr;
  return values_.Share();
}

std::shared_ptr<const std::vector<float>> ParameterShard::ShareTarget(std::int64_t& have) const {
  const MutexLock lock(mutex_);
  if (std::exchange(have, target_version()) == target_version()) return nullptr;
  return target_.Share();
}

ParameterShardCounters ParameterShard::counters() const {
  const MutexLock lock(mutex_);
  return counters_;
}

ShardSnapshot ParameterShard::Snapshot() const {
  const MutexLock lock(mutex_);
  ShardSnapshot snapshot{version(),        target_version(), counters_,
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
  version_.store(snapshot.version, std::memory_order_release);
  target_version_.store(snapshot.target_version, std::memory_order_release);
  counters_ = snapshot.counters;
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i].values = snapshot.optimizer[i].values;
  return OkStatus();
}

}  // namespace gorila
