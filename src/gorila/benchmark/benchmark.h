// How close each part comes to what the machine can do: `gorila benchmark`.
#ifndef GORILA_BENCHMARK_BENCHMARK_H_
#define GORILA_BENCHMARK_BENCHMARK_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

struct BenchmarkOptions {
  double seconds = 1;  // of each measurement
  int cores = 1;       // most threads that a benchmark of several may use
};

// One measurement. Values are rates: more is better.
struct BenchmarkResult {
  std::string name = {};             // "learner/nature_dqn/1"
  double value = 0;                  // median over slices of time
  std::string unit = {};             // "updates/s"
  std::optional<double> limit = {};  // in `unit`, measured in turns with the value
  std::string limit_name = {};       // what the limit is: "SGEMM"
  std::optional<double> ratio = {};  // median of value / limit over the turns
  double spread = 0;                 // (90th - 10th percentile) / median of the value's slices
};

// One group of measurements. Adding one: a .cc, a row, a test.
struct BenchmarkRow {
  std::string_view name;
  std::string_view summary;
  // Blocks for about `seconds` for each measurement. Unavailable when the machine refuses.
  StatusOr<std::vector<BenchmarkResult>> (*run)(const BenchmarkOptions& options);
};
std::span<const BenchmarkRow> BenchmarkTable();

// InvalidArgument with the nearest names for an unknown one.
StatusOr<const BenchmarkRow*> FindBenchmark(std::string_view name);

// A table for people: name, value, limit, ratio.
std::string BenchmarkText(std::span<const BenchmarkResult> results);

// {"machine": ..., "results": [{"name", "value", "unit", "limit", "ratio_to_limit", ...}, ...]}
std::string BenchmarkJson(std::span<const BenchmarkResult> results, std::string_view machine);

// Above this spread a measurement says more about the machine's other work.
inline constexpr double kNoisySpread = 0.10;

}  // namespace gorila

#endif  // GORILA_BENCHMARK_BENCHMARK_H_
