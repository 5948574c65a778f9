#include <algorithm>

#include "gorila/base/denormals.h"
#include "gorila/benchmark/limits.h"
#include "gorila/benchmark/rows.h"
#include "gorila/benchmark/workload.h"
#include "gorila/network/onednn/onednn_network.h"
#include "gorila/network/torch/torch_module.h"

namespace gorila {
namespace {

constexpr int kLargeBatch = 512;  // with which a GPU is worth its transfers

StatusOr<NetworkSpec> PublishedNetwork(std::string_view preset) {
  return MakeNetworkSpec(preset, PublishedEnvironment(preset));
}

// An agent and the forward passes that a step of its learner needs.
struct AgentCase {
  std::string_view name;
  AgentOptions options = {.algorithm = "dqn"};
  int forward_passes = 2;
};

StatusOr<BenchmarkResult> MeasureLearners(const std::string& name, std::string_view backend,
                                          std::string_view preset, int learners,
                                          const BenchmarkOptions& options,
                                          const AgentCase& agent = {}) {
  GORILA_ASSIGN_OR_RETURN(NetworkSpec layers, PublishedNetwork(preset));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, Described(layers, agent.options));
  GORILA_ASSIGN_OR_RETURN(const auto store, MakeBenchmarkStore(network, learners));
  std::vector<std::unique_ptr<LearnerWorkload>> workloads;
  std::vector<std::unique_ptr<SgemmLimit>> sgemms;
  std::vector<std::function<void()>> steps;
  std::vector<std::function<void()>> products;
  for (int i = 0; i < learners; ++i) {
    GORILA_ASSIGN_OR_RETURN(
        auto workload,
        LearnerWorkload::Make({.backend = backend, .agent = agent.options}, network, *store));
    workloads.push_back(std::move(workload));
    sgemms.push_back(std::make_unique<SgemmLimit>());
    steps.emplace_back([work = workloads.back().get()] { work->Step(); });
    products.emplace_back([work = sgemms.back().get()] { work->Call(); });
  }
  BenchmarkResult result{.name = name, .unit = "updates/s", .limit_name = "SGEMM"};
  const double product =
      SgemmLimit::flops() / LearnerStepFlops(network,
                                             StatesOfMinibatch(agent.options, kBenchmarkBatch),
                                             agent.forward_passes);  // in updates
  if (learners == 1) {
    const TimedWork limit{.call = products.front(), .amount = product};
    return Measure(std::move(result), options.seconds, ThreadSeconds, {.call = steps.front()},
                   &limit);
  }
  const TimedWork limit = InThreads(products, CallsInATenth(products.front()), product);
  return Measure(std::move(result), options.seconds, WallSeconds,
                 InThreads(steps, CallsInATenth(steps.front()), 1), &limit);
}

// One learner on the first GPU, in wall time: most of its work is not this thread's.
StatusOr<BenchmarkResult> MeasureOnGpu(const TorchModule& torch, std::string_view preset, int batch,
                                       const BenchmarkOptions& options) {
  constexpr int kSide = 4096;
  const LearnerPlace place{.backend = "torch", .device = "cuda", .batch = batch};
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, PublishedNetwork(preset));
  GORILA_ASSIGN_OR_RETURN(const auto store, MakeBenchmarkStore(network, 1));
  GORILA_ASSIGN_OR_RETURN(const auto workload, LearnerWorkload::Make(place, network, *store));
  GORILA_ASSIGN_OR_RETURN(const auto product, torch.product("cuda", kSide));
  const double flops = 2.0 * kSide * kSide * kSide;
  const TimedWork limit{.call = product, .amount = flops / LearnerStepFlops(network, batch)};
  return Measure({.name = fmt::format("learner/{}/1/cuda/{}", preset, batch),
                  .unit = "updates/s",
                  .limit_name = "SGEMM of the GPU"},
                 options.seconds, WallSeconds, {.call = [&] { workload->Step(); }}, &limit);
}

// 1, 2, 4, ... learners, each on a core of its own.
Status AddLearners(std::string_view backend, std::string_view preset,
                   const BenchmarkOptions& options, std::vector<BenchmarkResult>& results) {
  const std::string_view suffix = backend == "auto" ? "" : backend;
  for (int learners = 1; learners <= options.cores; learners *= 2) {
    const std::string name =
        fmt::format("learner/{}/{}{}{}", preset, learners, suffix.empty() ? "" : "/", suffix);
    GORILA_ASSIGN_OR_RETURN(results.emplace_back(),
                            MeasureLearners(name, backend, preset, learners, options));
  }
  return OkStatus();
}

// The algorithms and options beside plain DQN, each with a limit of its own: the arithmetic of its
// network.
std::vector<AgentCase> AgentCases() {
  AgentCase noisy{.name = "dqn+noise"};
  noisy.options.noise = 0.5;
  AgentCase rainbow{.name = "c51+double+dueling+noise", .forward_passes = 3};
  rainbow.options = {.algorithm = "c51", .double_selection = true, .dueling = true, .noise = 0.5};
  AgentCase dueling{.name = "dqn+dueling"};
  dueling.options.dueling = true;
  return {{.name = "double_dqn", .options = {.algorithm = "double_dqn"}, .forward_passes = 3},
          {.name = "munchausen", .options = {.algorithm = "munchausen"}, .forward_passes = 3},
          {.name = "c51", .options = {.algorithm = "c51"}},
          {.name = "qr_dqn", .options = {.algorithm = "qr_dqn"}},
          {.name = "iqn", .options = {.algorithm = "iqn"}, .forward_passes = 3},
          dueling,
          noisy,
          rainbow,
          {.name = "vtrace", .options = {.algorithm = "vtrace"}, .forward_passes = 1}};
}

// The same measurement in time steps: a minibatch of unrolls has many more than one of transitions.
BenchmarkResult InTimeSteps(BenchmarkResult result, const AgentOptions& agent) {
  const int steps = StepsOfMinibatch(agent, kBenchmarkBatch);
  result.name += "/steps";
  result.unit = "steps/s";
  result.value *= steps;
  if (result.limit.has_value()) *result.limit *= steps;
  return result;
}

Status AddAgents(std::string_view preset, const BenchmarkOptions& options,
                 std::vector<BenchmarkResult>& results) {
  for (const AgentCase& agent : AgentCases()) {
    const std::string name = fmt::format("learner/{}/1/{}", preset, agent.name);
    GORILA_ASSIGN_OR_RETURN(const BenchmarkResult result,
                            MeasureLearners(name, "auto", preset, 1, options, agent));
    results.push_back(result);
    if (UsesUnrolls(agent.options)) results.push_back(InTimeSteps(result, agent.options));
  }
  return OkStatus();
}

// What the backend torch makes of a preset on the CPU, and on a GPU if there is one.
Status AddTorch(std::string_view preset, const BenchmarkOptions& options,
                std::vector<BenchmarkResult>& results) {
  GORILA_ASSIGN_OR_RETURN(const TorchModule* const torch, LoadTorchModule());
  const std::string name = fmt::format("learner/{}/1/torch", preset);
  GORILA_ASSIGN_OR_RETURN(results.emplace_back(),
                          MeasureLearners(name, "torch", preset, 1, options));
  if (torch->cuda_devices == 0) return OkStatus();
  for (const int batch : {kBenchmarkBatch, kLargeBatch}) {
    GORILA_ASSIGN_OR_RETURN(results.emplace_back(), MeasureOnGpu(*torch, preset, batch, options));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> RunLearnerBenchmark(const BenchmarkOptions& options) {
  FlushDenormalsInThisThread();
  std::vector<BenchmarkResult> results;
  for (const std::string_view preset : {"nature_dqn", "minatar_dqn"}) {
    GORILA_RETURN_IF_ERROR(AddLearners("auto", preset, options, results));
    if (MultipliesBfloat16Fast()) {
      GORILA_RETURN_IF_ERROR(AddLearners("bfloat16", preset, options, results));
    }
    GORILA_RETURN_IF_ERROR(AddAgents(preset, options, results));
    if (TorchIsBuiltIn()) GORILA_RETURN_IF_ERROR(AddTorch(preset, options, results));
  }
  return results;
}

}  // namespace gorila
