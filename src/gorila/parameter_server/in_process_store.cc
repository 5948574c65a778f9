#include "gorila/parameter_server/in_process_store.h"

#include <optional>
#include <string>
#include <utility>

#include "gorila/parameter_server/visit_free_first.h"

namespace gorila {
namespace {

Status CheckSizes(std::size_t values, std::size_t size, std::size_t versions, std::size_t shards) {
  if (values == size && versions == shards) return OkStatus();
  return InvalidArgument(
      "parameter store: given {} values and {} versions, expected {} values and {} versions",
      values, versions, size, shards);
}

void Count(ParameterShard::Verdict verdict, PushOutcome& outcome) {
  switch (verdict) {
    case ParameterShard::Verdict::kAccepted:
      ++outcome.accepted;
      break;
    case ParameterShard::Verdict::kStale:
      ++outcome.stale;
      break;
    case ParameterShard::Verdict::kInvalid:
      ++outcome.invalid;
      break;
  }
}

}  // namespace

StatusOr<std::unique_ptr<InProcessParameterStore>> InProcessParameterStore::Make(
    const ShardOptions& options, int shards, std::span<const float> initial_values,
    std::int64_t publish_every) {
  GORILA_ASSIGN_OR_RETURN(std::vector<Slice> partition,
                          MakePartition(initial_values.size(), shards));
  std::unique_ptr<InProcessParameterStore> store(
      new InProcessParameterStore(initial_values.size(), partition.size(), publish_every));
  store->partition_ = std::move(partition);
  for (const Slice& slice : store->partition_) {
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                            MakeOptimizer(options.optimizer, slice.size()));
    store->shards_.push_back(std::make_unique<ParameterShard>(
        options, initial_values.subspan(slice.begin, slice.size()), std::move(optimizer)));
  }
  return store;
}

StatusOr<bool> InProcessParameterStore::Pull(std::span<float> values, ShardVersions& versions) {
  GORILA_RETURN_IF_ERROR(CheckSizes(values.size(), size(), versions.size(), shards_.size()));
  bool changed = false;
  const auto slice_of = [&](std::size_t i) {
    return values.subspan(partition_[i].begin, partition_[i].size());
  };
  VisitFreeFirst(
      shards_.size(), NextStart(),
      [&](std::size_t i) {
        const std::optional<bool> pulled = shards_[i]->TryPull(slice_of(i), versions[i]);
        changed |= pulled.value_or(false);
        return pulled.has_value();
      },
      [&](std::size_t i) { changed |= shards_[i]->Pull(slice_of(i), versions[i]); });
  return changed;
}

// Hardly ever waits: a shard's target copy seldom changes.
StatusOr<bool> InProcessParameterStore::PullTarget(std::span<float> values,
                                                   ShardVersions& versions) {
  GORILA_RETURN_IF_ERROR(CheckSizes(values.size(), size(), versions.size(), shards_.size()));
  bool changed = false;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const Slice& slice = partition_[i];
    changed |= shards_[i]->PullTarget(values.subspan(slice.begin, slice.size()), versions[i]);
  }
  return changed;
}

StatusOr<bool> InProcessParameterStore::Borrow(ParameterSet set, Newness newness,
                                               SharedParameters& values, ShardVersions& versions) {
  GORILA_RETURN_IF_ERROR(CheckSizes(size(), size(), versions.size(), shards_.size()));
  const bool target = set == ParameterSet::kTarget;
  const std::int64_t most = target || newness == Newness::kNewest ? 0 : publish_every_ - 1;
  const auto is_new = [this, target, most](const ShardVersions& have) {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      const ParameterShard& shard = *shards_[i];
      const std::int64_t version = target ? shard.target_version() : shard.version();
      if (have[i] < 0 || version - have[i] > most) return false;
    }
    return true;
  };
  if (values != nullptr && is_new(versions)) return false;  // nearly always, of a target
  const PublishedParameters::Rule rule{
      .is_new = is_new,
      .pull =
          [this, target](std::span<float> into, ShardVersions& have) {
            const StatusOr<bool> pulled = target ? PullTarget(into, have) : Pull(into, have);
            GORILA_CHECK(pulled.ok(), "{}", std::string(pulled.status().message()));
          },
      .take_old = most > 0};
  return (target ? target_ : online_).Borrow(rule, values, versions);
}

StatusOr<PushOutcome> InProcessParameterStore::Push(std::span<const float> gradient,
                                                    const ShardVersions& versions) {
  return PushSlices(gradient, versions, /*known_finite=*/false);
}

StatusOr<PushOutcome> InProcessParameterStore::PushFinite(std::span<const float> gradient,
                                                          const ShardVersions& versions) {
  return PushSlices(gradient, versions, /*known_finite=*/true);
}

StatusOr<PushOutcome> InProcessParameterStore::PushSlices(std::span<const float> gradient,
                                                          const ShardVersions& versions,
                                                          bool known_finite) {
  GORILA_RETURN_IF_ERROR(CheckSizes(gradient.size(), size(), versions.size(), shards_.size()));
  PushOutcome outcome;
  const auto slice_of = [&](std::size_t i) {
    return gradient.subspan(partition_[i].begin, partition_[i].size());
  };
  // Looked at when it is tried for the first time. One that is not finite is counted at once, so
  // those that were busy are finite.
  std::size_t tries = 0;
  VisitFreeFirst(
      shards_.size(), NextStart(),
      [&](std::size_t i) {
        const bool known = known_finite || tries++ >= shards_.size();
        if (!known && !SquaresAreFinite(slice_of(i))) {
          Count(shards_[i]->PushChecked(slice_of(i), /*finite=*/false, versions[i]), outcome);
          return true;
        }
        const auto verdict = shards_[i]->TryPushChecked(slice_of(i), /*finite=*/true, versions[i]);
        if (verdict.has_value()) Count(*verdict, outcome);
        return verdict.has_value();
      },
      [&](std::size_t i) {
        Count(shards_[i]->PushChecked(slice_of(i), /*finite=*/true, versions[i]), outcome);
      });
  return outcome;
}

}  // namespace gorila
