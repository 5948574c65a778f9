// The functions behind the rows of BenchmarkTable(), one file each.
#ifndef GORILA_BENCHMARK_ROWS_H_
#define GORILA_BENCHMARK_ROWS_H_

#include <vector>

#include "gorila/benchmark/benchmark.h"

namespace gorila {

StatusOr<std::vector<BenchmarkResult>> RunLearnerBenchmark(const BenchmarkOptions& options);
StatusOr<std::vector<BenchmarkResult>> RunActorBenchmark(const BenchmarkOptions& options);
StatusOr<std::vector<BenchmarkResult>> RunReplayBenchmark(const BenchmarkOptions& options);
StatusOr<std::vector<BenchmarkResult>> RunShardBenchmark(const BenchmarkOptions& options);
StatusOr<std::vector<BenchmarkResult>> RunEnvironmentBenchmark(const BenchmarkOptions& options);
StatusOr<std::vector<BenchmarkResult>> RunScalingBenchmark(const BenchmarkOptions& options);
StatusOr<std::vector<BenchmarkResult>> RunSplitBenchmark(const BenchmarkOptions& options);
StatusOr<std::vector<BenchmarkResult>> RunWireBenchmark(const BenchmarkOptions& options);

// The rows of the environment benchmark for plug-ins.
StatusOr<std::vector<BenchmarkResult>> MeasurePlugins(const BenchmarkOptions& options);
// Those for worker processes. Prints why, and returns none, if no Python with numpy is found.
StatusOr<std::vector<BenchmarkResult>> MeasureWorkers(const BenchmarkOptions& options);

}  // namespace gorila

#endif  // GORILA_BENCHMARK_ROWS_H_
