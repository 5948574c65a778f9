#include "gorila/run/training_memory.h"

#include "gorila/agent/algorithm.h"
#include "gorila/base/address_space.h"
#include "gorila/base/control_groups.h"
#include "gorila/base/machine_memory.h"
#include "gorila/base/saturating.h"
#include "gorila/config/resolve.h"
#include "gorila/network/network_shape.h"
#include "gorila/run/agent_parts.h"
#include "gorila/run/trainer.h"

namespace gorila {
namespace {

Status CheckReplayBudget(const Config& config, const NetworkSpec& network) {
  const std::int64_t needed = Trainer::ExpectedReplayBytes(config, network);
  return CheckReplayBytes(config, needed,
                          fmt::format("{} bundles x {} time steps", config.run.bundles,
                                      config.replay.options.capacity));
}

std::int64_t CountParameters(const NetworkSpec& network) {
  return static_cast<std::int64_t>(MakeParameterLayout(network).size);
}

// What the layers of a network that learns keep of each state of a minibatch for the backward pass.
std::int64_t BytesOfLayers(const Config& config, const NetworkSpec& network) {
  if (config.network.device != "cpu") return 0;
  const NetworkShape shape = MakeNetworkShape(network);
  std::size_t outputs = 0;
  for (const ConvolutionShape& layer : shape.convolutions) outputs += layer.outputs();
  for (const DenseShape& layer : shape.dense) outputs += shape.rows * layer.outputs;
  const std::size_t number = config.network.backend == "bfloat16" ? 2 : sizeof(float);
  return static_cast<std::int64_t>(outputs * number);
}

// A lower bound for parameters, their copies, gradients and minibatches.
std::int64_t ExpectedLearnerBytes(const Config& config, const NetworkSpec& network) {
  const std::int64_t copies = 3 + 3 * std::int64_t{config.run.bundles};
  const AgentOptions& agent = config.learner.agent;
  // Those of an unroll follow one another; a transition has two.
  const std::int64_t states_kept = UsesUnrolls(agent) ? 1 : 2;
  const std::int64_t state_bytes =
      states_kept * static_cast<std::int64_t>(network.input.stacked_bytes()) +
      BytesOfLayers(config, network);
  const std::int64_t batches =
      SaturatingProduct(state_bytes, std::int64_t{config.run.bundles} *
                                         StatesOfMinibatch(agent, config.learner.batch_size));
  const std::int64_t parameters =
      CountParameters(network) * static_cast<std::int64_t>(sizeof(float));
  return SaturatingSum(batches, SaturatingProduct(parameters, copies));
}

Status CheckLearnerBytes(const Config& config, const NetworkSpec& network) {
  const std::int64_t needed = ExpectedLearnerBytes(config, network);
  if (needed <= MachineMemoryBytes()) return OkStatus();
  return InvalidArgument(
      "networks and minibatches would take {} bytes or more ({} parameters, learner.batch_size "
      "{}{}, "
      "run.bundles {}); expected at most this machine's memory, {} bytes",
      needed, CountParameters(network), config.learner.batch_size,
      UsesUnrolls(config.learner.agent)
          ? fmt::format(" of learner.unroll {}", config.learner.agent.unroll)
          : "",
      config.run.bundles, MachineMemoryBytes());
}

// A run must stay clear of limits: libraries do not survive failed allocations, and a process
// beyond its control group's limit is killed.
Status CheckLimits(const Config& config, const NetworkSpec& network) {
  constexpr std::int64_t kThreads = 3;  // besides bundles
  const std::int64_t needed = ExpectedTrainingBytes(config, network);
  GORILA_RETURN_IF_ERROR(CheckGroupMemory(ReadGroupLimits(), needed, "training"));
  const std::int64_t stacks = SaturatingProduct(ThreadStackBytes(), kThreads + config.run.bundles);
  return CheckAddressSpace(LookAtAddressSpace(), SaturatingSum(needed, stacks), "training");
}

}  // namespace

std::int64_t ExpectedTrainingBytes(const Config& config, const NetworkSpec& network) {
  // For what is not counted: oneDNN's code, the report's pictures, files being written.
  constexpr std::int64_t kRest = std::int64_t{64} << 20;
  const std::int64_t replay = Trainer::ExpectedReplayBytes(config, network);
  // A checkpoint holds a copy of the rows until they are written, in buffers that have grown.
  const std::int64_t copies = config.checkpoint.replay ? SaturatingProduct(replay, 3) / 2 : 0;
  return SaturatingSum(SaturatingSum(replay, copies),
                       SaturatingSum(ExpectedLearnerBytes(config, network), kRest));
}

Status CheckTrainingMemory(const Config& config, const NetworkSpec& network) {
  GORILA_RETURN_IF_ERROR(CheckReplayBudget(config, network));
  GORILA_RETURN_IF_ERROR(CheckLearnerBytes(config, network));
  return CheckLimits(config, network);
}

std::int64_t Trainer::ExpectedReplayBytes(const Config& config, const NetworkSpec& network) {
  return SaturatingProduct(LocalReplay::ExpectedBytes(ResolveReplayOptions(config), network.input,
                                                      config.actor.environments),
                           config.run.bundles);
}

}  // namespace gorila
