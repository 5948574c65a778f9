// For tests of policies: a network whose values can be read off its observations.
#ifndef GORILA_AGENT_TESTING_H_
#define GORILA_AGENT_TESTING_H_

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "gorila/network/q_network.h"

namespace gorila::testing_agent {

// An observation has a byte for each action, which is its Q-value.
class EchoNetwork final : public QNetwork {
 public:
  explicit EchoNetwork(int num_actions, std::vector<ActionMask> game_actions = {})
      : spec_{.input = {.width = num_actions},
              .convolutions = {},
              .hidden = {},
              .num_actions = num_actions,
              .game_actions = std::move(game_actions)},
        layout_(MakeParameterLayout(spec_)) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }
  void SetParameters(std::span<const float>) override {}
  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    ++predictions;
    last_batch = batch;
    std::transform(observations.begin(), observations.end(), q.begin(),
                   [](std::byte value) { return static_cast<float>(value); });
  }
  void Forward(std::span<const std::byte>, int, std::span<float>) override {}
  void Backward(std::span<const float>, std::span<float>) override {}

  int predictions = 0;
  int last_batch = 0;

 private:
  const NetworkSpec spec_;
  const ParameterLayout layout_;
};

}  // namespace gorila::testing_agent

#endif  // GORILA_AGENT_TESTING_H_
