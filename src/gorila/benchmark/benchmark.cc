#include "gorila/benchmark/benchmark.h"

#include <algorithm>
#include <array>

#include "gorila/base/json.h"
#include "gorila/base/nearest.h"
#include "gorila/benchmark/rows.h"

namespace gorila {
namespace {

constexpr std::array kTable = {
    BenchmarkRow{"learner", "a minibatch from replay to an applied gradient, against SGEMM",
                 &RunLearnerBenchmark},
    BenchmarkRow{"actor", "acting in a batch of games, against the games and SGEMM",
                 &RunActorBenchmark},
    BenchmarkRow{"replay", "sampling, inserting and keeping 84 x 84 frames, against memcpy",
                 &RunReplayBenchmark},
    BenchmarkRow{"shard", "updates of the Nature network's parameters, against memcpy",
                 &RunShardBenchmark},
    BenchmarkRow{"wire",
                 "gradients to shards in other processes and parameters back, against a socket",
                 &RunWireBenchmark},
    BenchmarkRow{"env", "every environment with random actions", &RunEnvironmentBenchmark},
    BenchmarkRow{"split", "a learner's network over 1, 2, 4, ... members, against equal shares",
                 &RunSplitBenchmark},
    BenchmarkRow{"scaling", "whole training with 1, 2, 4, ... bundles", &RunScalingBenchmark},
};

// Four significant digits.
std::string Number(double value) {
  return value >= 10000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

}  // namespace

std::span<const BenchmarkRow> BenchmarkTable() { return kTable; }

StatusOr<const BenchmarkRow*> FindBenchmark(std::string_view name) {
  std::vector<std::string_view> names = {"all"};
  for (const BenchmarkRow& row : kTable) {
    if (row.name == name) return &row;
    names.push_back(row.name);
  }
  return InvalidArgument(
      "unknown benchmark '{}'; did you mean {}? 'gorila help benchmark' lists all", name,
      NearestNamesText(name, names));
}

std::string BenchmarkText(std::span<const BenchmarkResult> results) {
  std::size_t width = 4;
  for (const BenchmarkResult& result : results) width = std::max(width, result.name.size());
  std::string text = fmt::format("{:<{}}  {:>12}  {:>12}  {:>6}  {:<14} {}\n", "name", width,
                                 "value", "limit", "ratio", "unit", "limit is");
  for (const BenchmarkResult& result : results) {
    text += fmt::format(
        "{:<{}}  {:>12}  {:>12}  {:>6}  {:<14} {}{}\n", result.name, width, Number(result.value),
        result.limit.has_value() ? Number(*result.limit) : "-",
        result.ratio.has_value() ? fmt::format("{:.2f}", *result.ratio) : "-", result.unit,
        result.limit_name,
        result.spread > kNoisySpread ? fmt::format("  (noisy: +-{:.0f} %)", 50 * result.spread)
                                     : "");
  }
  return text;
}

std::string BenchmarkJson(std::span<const BenchmarkResult> results, std::string_view machine) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const BenchmarkResult& result : results) {
    nlohmann::ordered_json row = {
        {"name", result.name}, {"value", result.value}, {"unit", result.unit}};
    row["limit"] = result.limit.has_value() ? nlohmann::ordered_json(*result.limit) : nullptr;
    row["ratio_to_limit"] =
        result.ratio.has_value() ? nlohmann::ordered_json(*result.ratio) : nullptr;
    row["limit_name"] = result.limit_name;
    row["spread"] = result.spread;
    rows.push_back(std::move(row));
  }
  const nlohmann::ordered_json document = {{"machine", machine}, {"results", std::move(rows)}};
  return DumpJson(document, 2) + "\n";
}

}  // namespace gorila
