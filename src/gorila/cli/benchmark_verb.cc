#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "gorila/base/file.h"
#include "gorila/benchmark/benchmark.h"
#include "gorila/cli/command.h"
#include "gorila/cli/machine.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/verb.h"

namespace gorila::cli {
namespace {

struct BenchmarkVerbOptions {
  std::vector<std::string> names = {"all"};
  double seconds = 1;
  int cores = 0;
  std::filesystem::path json;
};

StatusOr<std::vector<const BenchmarkRow*>> Chosen(const std::vector<std::string>& names) {
  std::vector<const BenchmarkRow*> rows;
  for (const std::string& name : names) {
    if (name == "all") {
      for (const BenchmarkRow& row : BenchmarkTable()) rows.push_back(&row);
      continue;
    }
    GORILA_ASSIGN_OR_RETURN(const BenchmarkRow* row, FindBenchmark(name));
    rows.push_back(row);
  }
  return rows;
}

void WarnWhenNoisy(const std::vector<BenchmarkResult>& results) {
  const auto noisy = std::count_if(results.begin(), results.end(), [](const BenchmarkResult& r) {
    return r.spread > kNoisySpread;
  });
  if (noisy == 0) return;
  fmt::print(stderr,
             "warning: {} of {} measurements spread by more than {:.0f} %; the machine is doing "
             "other work. Ratios suffer less than values.\n",
             noisy, results.size(), 100 * kNoisySpread);
}

Status Write(const BenchmarkVerbOptions& options, const std::vector<BenchmarkResult>& results,
             const std::string& machine) {
  const std::string json = BenchmarkJson(results, machine);
  if (options.json == "-") {
    fmt::print("{}", json);
    return OkStatus();
  }
  fmt::print("{}\n{}", machine, BenchmarkText(results));
  if (options.json.empty()) return OkStatus();
  return WriteFileAtomically(options.json, json);
}

StatusOr<int> RunBenchmarks(const BenchmarkVerbOptions& options) {
  if (options.seconds <= 0 || options.seconds > 3600) {
    return InvalidArgument("--seconds is {}; expected more than 0 and at most 3600",
                           options.seconds);
  }
  GORILA_ASSIGN_OR_RETURN(const auto rows, Chosen(options.names));
  const Machine machine = LookAtMachine();
  const BenchmarkOptions request{.seconds = options.seconds,
                                 .cores = options.cores > 0 ? options.cores : machine.cores};
  std::vector<BenchmarkResult> results;
  for (const BenchmarkRow* row : rows) {
    fmt::print(stderr, "{}: {}\n", row->name, row->summary);
    GORILA_ASSIGN_OR_RETURN(const auto measured, row->run(request));
    results.insert(results.end(), measured.begin(), measured.end());
  }
  GORILA_RETURN_IF_ERROR(Write(options, results, Describe(machine)));
  WarnWhenNoisy(results);
  return kSuccess;
}

std::string Names() {
  std::string names = "all";
  for (const BenchmarkRow& row : BenchmarkTable()) names += fmt::format(", {}", row.name);
  return names;
}

constexpr CommandText kBenchmarkText = {
    .name = "benchmark",
    .summary = "Measure how close each part comes to what the machine can do",
    .details =
        R"(Each part is measured in turns with its limit (SGEMM, memcpy, ...) in the same run, so that the
ratio holds on a machine that others use too. docs/performance.md explains the measurements.
)",
    .examples = R"(gorila benchmark
gorila benchmark learner shard --seconds 5
gorila benchmark scaling --json -
)"};

}  // namespace

Verb AddBenchmarkVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kBenchmarkText);
  const auto options = std::make_shared<BenchmarkVerbOptions>();
  app->add_option("NAME", options->names, Names())->type_name("");
  app->add_option("--seconds", options->seconds, "Length of each measurement")
      ->capture_default_str();
  AddNumber(*app, "--cores", options->cores, {.low = 1, .high = 1024},
            "Most threads to use (default: those of the machine)");
  app->add_option("--json", options->json, "Write the results to this file too; - for stdout alone")
      ->type_name("FILE");
  return {app, [options](const Invocation&) { return RunBenchmarks(*options); }};
}

}  // namespace gorila::cli
