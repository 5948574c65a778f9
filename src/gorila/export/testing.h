// For tests of exports: a network of each kind of algorithm.
#ifndef GORILA_EXPORT_TESTING_H_
#define GORILA_EXPORT_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/network/parameter_layout.h"

namespace gorila::testing_export {

struct Agent {
  std::string name;
  AgentOptions options;
};

// How a failed test names its parameter.
inline void PrintTo(const Agent& agent, std::ostream* out) { *out << agent.name; }

inline std::vector<Agent> Agents() {
  return {
      {"Dqn", {.algorithm = "dqn"}},
      {"DqnNoisy", {.algorithm = "dqn", .noise = 0.5}},
      {"DqnDueling", {.algorithm = "dqn", .dueling = true}},
      {"Munchausen", {.algorithm = "munchausen"}},
      {"C51", {.algorithm = "c51", .atoms = 11, .value_min = -3, .value_max = 7}},
      {"C51DuelingNoisy", {.algorithm = "c51", .atoms = 5, .dueling = true, .noise = 0.5}},
      {"QrDqn", {.algorithm = "qr_dqn", .atoms = 7}},
      {"QrDqnDueling", {.algorithm = "qr_dqn", .atoms = 7, .dueling = true}},
  };
}

// Those, whose networks give values of actions, and one with a policy.
inline std::vector<Agent> AllAgents() {
  std::vector<Agent> agents = Agents();
  agents.push_back({"VTrace", {.algorithm = "vtrace"}});
  return agents;
}

inline std::string NameOf(const testing::TestParamInfo<Agent>& info) { return info.param.name; }

// A small network with a layer of every kind, and random parameters.
struct Network {
  explicit Network(const AgentOptions& options) {
    const AlgorithmRow* const row = FindAlgorithm(options.algorithm).value();
    row->describe(options, spec);
    form = row->form(options, spec.num_actions);
    layout = MakeParameterLayout(spec);
    NetworkSpec quiet = spec;
    quiet.noise = 0;
    means = MakeParameterLayout(quiet);
    RandomStream random(6);
    parameters = InitialParameters(layout, random);
  }

  // Of the same means.
  std::vector<float> WithOtherSigmas() const {
    std::vector<float> other = parameters;
    std::fill(other.begin() + static_cast<std::ptrdiff_t>(means.size), other.end(), 0.25F);
    return other;
  }

  NetworkSpec spec{
      .input = {.channels = 2, .height = 6, .width = 5, .scale = 1 / 255.0F, .stack = 2},
      .convolutions = {{.filters = 4, .kernel = 3, .stride = 1}},
      .hidden = {8},
      .num_actions = 3};
  ValueForm form;
  ParameterLayout layout;
  ParameterLayout means;
  std::vector<float> parameters;
};

}  // namespace gorila::testing_export

#endif  // GORILA_EXPORT_TESTING_H_
