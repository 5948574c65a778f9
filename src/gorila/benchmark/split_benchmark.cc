// A learner whose network several members compute together (network_group.h).
#include <algorithm>
#include <array>
#include <string>

#include "gorila/base/denormals.h"
#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/benchmark/workload.h"
#include "gorila/network/split/split_network.h"

namespace gorila {
namespace {

struct SplitCase {
  std::string_view name;
  int hidden;  // units behind the convolutions of nature_dqn
  AgentOptions agent = {.algorithm = "dqn"};
};

const std::array kSplitCases = {
    SplitCase{.name = "nature_dqn", .hidden = 512},
    SplitCase{.name = "wide", .hidden = 4096},
    SplitCase{.name = "wide_c51", .hidden = 4096, .agent = {.algorithm = "c51"}},
};

StatusOr<NetworkSpec> SpecOf(const SplitCase& split) {
  GORILA_ASSIGN_OR_RETURN(NetworkSpec layers,
                          MakeNetworkSpec("nature_dqn", PublishedEnvironment("nature_dqn")));
  layers.hidden = {split.hidden};
  return Described(layers, split.agent);
}

// What a member above 0 has, and what it and its leader exchange for one update (DQN's: a forward
// pass with theta- and one with theta, a backward pass).
void AddBytes(const std::string& name, const SplitPlan& plan,
              std::vector<BenchmarkResult>& results) {
  const auto floats = [](std::size_t count) {
    return static_cast<double>(count) * static_cast<double>(sizeof(float));
  };
  const std::size_t pieces = SizeOf(PiecesOf(plan, 1));
  std::size_t exchanged = 0;
  for (const SplitStage& stage : plan.stages) {
    if (stage.is_split()) exchanged += 3 * (stage.inputs() + stage.outputs());
  }
  results.push_back(
      {.name = name + "/parameters", .value = floats(2 * pieces), .unit = "bytes/update"});
  results.push_back({.name = name + "/exchange",
                     .value = floats(exchanged * static_cast<std::size_t>(kBenchmarkBatch)),
                     .unit = "bytes/update"});
  results.push_back({.name = name + "/memory", .value = floats(3 * pieces), .unit = "bytes"});
}

// Against one member that has this share of the work: if nothing but arithmetic cost anything.
Status MeasureSplit(const SplitCase& split, int members, const BenchmarkOptions& options,
                    std::vector<BenchmarkResult>& results) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, SpecOf(split));
  GORILA_ASSIGN_OR_RETURN(const SplitPlan plan, PlanSplitNetwork(network, members));
  GORILA_ASSIGN_OR_RETURN(const auto store, MakeBenchmarkStore(network, 2));
  const auto make = [&](int count) {
    return LearnerWorkload::Make({.agent = split.agent, .members = count}, network, *store);
  };
  GORILA_ASSIGN_OR_RETURN(const auto one, make(1));
  GORILA_ASSIGN_OR_RETURN(const auto group, make(members));
  const double rest = 1 - SplitShare(network, plan) * (1 - 1.0 / members);
  const TimedWork limit{.call = [&one] { one->Step(); }, .amount = 1 / rest};
  const std::string name = fmt::format("split/{}/{}", split.name, members);
  results.push_back(Measure(
      {.name = name, .unit = "updates/s", .limit_name = "one member with its share of the work"},
      options.seconds, WallSeconds, {.call = [&group] { group->Step(); }}, &limit));
  AddBytes(name, plan, results);
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> RunSplitBenchmark(const BenchmarkOptions& options) {
  FlushDenormalsInThisThread();
  std::vector<BenchmarkResult> results;
  for (const SplitCase& split : kSplitCases) {
    for (int members = 2; members <= std::max(options.cores, 2); members *= 2) {
      GORILA_RETURN_IF_ERROR(MeasureSplit(split, members, options, results));
    }
  }
  return results;
}

}  // namespace gorila
