// Acting is in an actor's hot path: it must not allocate.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/agent/testing.h"
#include "gorila/base/allocation_counter.h"

namespace gorila {
namespace {

TEST(AgentAllocationTest, ActingAllocatesNothingAfterTheFirstTime) {
  constexpr int kActions = 5;
  constexpr std::size_t kEnvironments = 6;
  testing_agent::EchoNetwork network(kActions);
  EpsilonGreedyPolicy policy(network);
  RandomStream random(1);
  std::vector<ActingEnvironment> environments(kEnvironments, {.epsilon = 0, .random = &random});
  const std::vector<std::byte> observations(kEnvironments * kActions, std::byte{1});
  ActOutput output;
  policy.Act({.observations = observations, .environments = environments}, output);
  ResetAllocationCounts();
  for (int step = 0; step < 300; ++step) {
    // All explore in the first steps, so values come and go; then fewer environments act.
    for (ActingEnvironment& environment : environments) environment.epsilon = step < 100 ? 1 : 0.5;
    const std::size_t count = step < 200 ? kEnvironments : 1 + step % kEnvironments;
    policy.Act({.observations = std::span(observations).first(count * kActions),
                .environments = std::span(environments).first(count),
                .show_values = step % 3 == 0},
               output);
  }
  EXPECT_EQ(CountAllocations().allocations, 0U);
  EXPECT_GT(network.predictions, 200);
}

// Every algorithm with heads and noise: acting, and the loss up to the gradient.
TEST(AgentAllocationTest, NoAlgorithmAllocatesAfterTheFirstTime) {
  constexpr int kBatch = 8;
  for (const AlgorithmRow& row : AlgorithmTable()) {
    const bool unrolls = row.experience == Experience::kUnrolls;
    AgentOptions options{.algorithm = std::string(row.name), .dueling = true, .noise = 0.5};
    if (unrolls) options = {.algorithm = options.algorithm, .unroll = 3};
    const int states = StatesOfMinibatch(options, kBatch);
    NetworkSpec spec{.input = {.channels = 4, .height = 6, .width = 6},
                     .convolutions = {{.filters = 4, .kernel = 3, .stride = 1}},
                     .hidden = {16},
                     .num_actions = 3};
    row.describe(options, spec);
    const auto online = MakeQNetwork("gemm", spec, states).value();
    const auto target = MakeQNetwork("gemm", spec, states).value();
    RandomStream random(1);
    const std::vector<float> parameters = InitialParameters(online->layout(), random);
    online->SetParameters(parameters);
    target->SetParameters(parameters);
    const auto loss = row.make_loss(options, spec, kBatch);
    const auto policy = row.make_policy(options, *online, ActBy::kSample);
    TransitionBatch batch;
    batch.Resize(kBatch, spec.input.stacked_bytes(), unrolls ? options.unroll : 0);
    std::fill(batch.discount_t.begin(), batch.discount_t.end(), 0.9F);
    const std::vector<float> weights(kBatch, 1);
    std::vector<float> doutputs(static_cast<std::size_t>(states * spec.outputs()));
    std::vector<float> errors(kBatch), values(kBatch), gradient(parameters.size());
    std::vector<ActingEnvironment> environments(kBatch, {.epsilon = 0.1, .random = &random});
    ActOutput output;
    const auto step = [&] {
      const std::size_t seen = kBatch * spec.input.stacked_bytes();
      policy->Act({.observations = std::span(batch.s_tm1).first(seen),
                   .environments = environments,
                   .noisy = true},
                  output);
      loss->Compute({*online, target.get(), batch, weights, random}, doutputs, errors);
      loss->Values(values);
      online->Backward(doutputs, gradient);
    };
    step();
    ResetAllocationCounts();
    for (int i = 0; i < 20; ++i) step();
    EXPECT_EQ(CountAllocations().allocations, 0U) << row.name;
  }
}

}  // namespace
}  // namespace gorila
