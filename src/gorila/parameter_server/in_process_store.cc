#include "gorila/parameter_server/in_process_store.h"

namespace gorila {
namespace {

Status CheckSizes(std::size_t values, std::size_t size, std::size_t versions, std::size_t shards) {
  if (values == size && versions == shards) return OkStatus();
  return InvalidArgument(
      "parameter store: given {} values and {} versions, expected {} values and {} versions",
      values, versions, size, shards);
}

}  // namespace

StatusOr<std::unique_ptr<InProcessParameterStore>> InProcessParameterStore::Make(
    const ShardOptions& options, int shards, std::span<const float> initial_values) {
  std::unique_ptr<InProcessParameterStore> store(new InProcessParameterStore);
  GORILA_ASSIGN_OR_RETURN(store->partition_, MakePartition(initial_values.size(), shards));
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
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const Slice& slice = partition_[i];
    changed |= shards_[i]->Pull(values.subspan(slice.begin, slice.size()), versions[i]);
  }
  return changed;
}

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

StatusOr<PushOutcome> InProcessParameterStore::Push(std::span<const float> gradient,
                                                    const ShardVersions& versions) {
  GORILA_RETURN_IF_ERROR(CheckSizes(gradient.size(), size(), versions.size(), shards_.size()));
  PushOutcome outcome;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const Slice& slice = partition_[i];
    switch (shards_[i]->Push(gradient.subspan(slice.begin, slice.size()), versions[i])) {
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
  return outcome;
}

}  // namespace gorila
