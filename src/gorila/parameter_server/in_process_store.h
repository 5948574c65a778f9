// The parameter server inside this process: shards as objects, parameters moved by memory copy.
#ifndef GORILA_PARAMETER_SERVER_IN_PROCESS_STORE_H_
#define GORILA_PARAMETER_SERVER_IN_PROCESS_STORE_H_

#include <memory>
#include <span>
#include <vector>

#include "gorila/parameter_server/parameter_store.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {

class InProcessParameterStore final : public ParameterStore {
 public:
  // InvalidArgument for an unknown optimizer or more shards than the parameters fill.
  static StatusOr<std::unique_ptr<InProcessParameterStore>> Make(
      const ShardOptions& options, int shards, std::span<const float> initial_values);

  std::size_t size() const override { return partition_.back().end; }
  int num_shards() const override { return static_cast<int>(shards_.size()); }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override;
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override;
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override;
  std::int64_t UpdateCount() const override { return shards_.front()->version(); }

  std::span<const Slice> partition() const { return partition_; }
  ParameterShard& shard(int index) { return *shards_[static_cast<std::size_t>(index)]; }
  const ParameterShard& shard(int index) const { return *shards_[static_cast<std::size_t>(index)]; }

 private:
  InProcessParameterStore() = default;

  std::vector<Slice> partition_;                         // constant after Make
  std::vector<std::unique_ptr<ParameterShard>> shards_;  // the vector is constant after Make
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_IN_PROCESS_STORE_H_
