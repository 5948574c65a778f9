// The parameter server inside this process: shards as objects, parameters moved by memory copy.
#ifndef GORILA_PARAMETER_SERVER_IN_PROCESS_STORE_H_
#define GORILA_PARAMETER_SERVER_IN_PROCESS_STORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gorila/parameter_server/parameter_store.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/published_parameters.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {

class InProcessParameterStore final : public ParameterStore {
 public:
  // InvalidArgument for an unknown optimizer or more shards than the parameters fill.
  // `publish_every` updates, the copy of theta that is lent is replaced; 1: theta is pulled, not
  // lent. theta- always is.
  static StatusOr<std::unique_ptr<InProcessParameterStore>> Make(
      const ShardOptions& options, int shards, std::span<const float> initial_values,
      std::int64_t publish_every = 1);

  std::size_t size() const override { return partition_.back().end; }
  int num_shards() const override { return static_cast<int>(shards_.size()); }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override;
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override;
  bool Lends(ParameterSet set) const override {
    return set == ParameterSet::kTarget || publish_every_ > 1;
  }
  StatusOr<bool> Borrow(ParameterSet set, Newness newness, SharedParameters& values,
                        ShardVersions& versions) override;
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override;
  StatusOr<PushOutcome> PushFinite(std::span<const float> gradient,
                                   const ShardVersions& versions) override;
  std::int64_t UpdateCount() const override { return shards_.front()->version(); }

  std::span<const Slice> partition() const { return partition_; }
  ParameterShard& shard(int index) { return *shards_[static_cast<std::size_t>(index)]; }
  const ParameterShard& shard(int index) const { return *shards_[static_cast<std::size_t>(index)]; }

 private:
  InProcessParameterStore(std::size_t size, std::size_t shards, std::int64_t publish_every)
      : publish_every_(publish_every), online_(size, shards), target_(size, shards) {}

  StatusOr<PushOutcome> PushSlices(std::span<const float> gradient, const ShardVersions& versions,
                                   bool known_finite);
  // Where a call begins, so that those of several threads meet less often.
  std::size_t NextStart() { return starts_.fetch_add(1, std::memory_order_relaxed); }

  const std::int64_t publish_every_;
  std::vector<Slice> partition_;                         // constant after Make
  std::vector<std::unique_ptr<ParameterShard>> shards_;  // the vector is constant after Make
  PublishedParameters online_;
  PublishedParameters target_;
  std::atomic<std::size_t> starts_{0};
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_IN_PROCESS_STORE_H_
