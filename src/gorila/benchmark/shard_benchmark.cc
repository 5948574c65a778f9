#include <vector>

#include "gorila/base/denormals.h"
#include "gorila/base/random.h"
#include "gorila/benchmark/limits.h"
#include "gorila/benchmark/rows.h"
#include "gorila/benchmark/workload.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {
namespace {

// What one update reads and writes of each parameter: the gradient once, the value and every slot
// of the optimizer there and back.
double BytesPerParameter(const Optimizer& optimizer) {
  return sizeof(float) * (3.0 + 2.0 * static_cast<double>(optimizer.slots().size()));
}

StatusOr<BenchmarkResult> MeasureOptimizer(std::string_view name, std::size_t size,
                                           const BenchmarkOptions& options) {
  const ShardOptions shard_options{
      .target_period = 1000,
      .optimizer = {.name = std::string(name), .learning_rate = 1e-4, .epsilon = 0.01}};
  GORILA_ASSIGN_OR_RETURN(auto optimizer, MakeOptimizer(shard_options.optimizer, size));
  const double bytes = BytesPerParameter(*optimizer) * static_cast<double>(size);
  RandomStream random(1);
  std::vector<float> values(size);
  std::vector<float> gradient(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = static_cast<float>(random.Uniform());
    gradient[i] = static_cast<float>(random.Uniform()) - 0.5F;
  }
  ParameterShard shard(shard_options, values, std::move(optimizer));
  const auto push = [&] {
    const auto verdict = shard.Push(gradient, shard.version());
    GORILA_CHECK(verdict == ParameterShard::Verdict::kAccepted);
  };
  // As many bytes moved as one update moves.
  CopyLimit copy(static_cast<std::size_t>(bytes / 2));
  const TimedWork limit{.call = [&] { copy.Call(); }, .amount = copy.bytes_moved() * 1e-9};
  return Measure({.name = fmt::format("shard/{}", name), .unit = "GB/s", .limit_name = "memcpy"},
                 options.seconds, ThreadSeconds, {.call = push, .amount = bytes * 1e-9}, &limit);
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> RunShardBenchmark(const BenchmarkOptions& options) {
  FlushDenormalsInThisThread();
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network,
                          MakeNetworkSpec("nature_dqn", PublishedEnvironment("nature_dqn")));
  const std::size_t size = MakeParameterLayout(network).size;
  std::vector<BenchmarkResult> results;
  for (const OptimizerRow& row : OptimizerTable()) {
    GORILA_ASSIGN_OR_RETURN(BenchmarkResult result, MeasureOptimizer(row.name, size, options));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace gorila
