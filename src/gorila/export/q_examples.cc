#include "gorila/export/q_examples.h"

#include <cstring>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/frame_stacker.h"
#include "gorila/base/json.h"
#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kSeed = 1;
constexpr int kStepsApart = 7;

Json Elements(const ObservationSpec& spec, std::span<const std::byte> stacked) {
  Json elements = Json::array();
  if (spec.element == ElementType::kUint8) {
    for (const std::byte element : stacked) elements.push_back(std::to_integer<int>(element));
    return elements;
  }
  std::vector<float> values(stacked.size() / sizeof(float));
  std::memcpy(values.data(), stacked.data(), stacked.size());
  return values;
}

}  // namespace

StatusOr<std::string> EncodeQExamples(const Config& config, std::span<const float> parameters) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<QNetwork> q_network,
                          MakeQNetwork("auto", network, 1));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Policy> policy,
                          MakePolicy(config.learner.agent, *q_network, ActBy::kArgmax));
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Environment> environment,
      MakeEnvironment(config.environment.name, config.environment.options,
                      MakeRandomDraws(RandomStream::Derive(kSeed, "example environment"))));
  RandomStream random = RandomStream::Derive(kSeed, "example actions");
  RandomStream unused(kSeed);
  const ActingEnvironment greedy{.epsilon = 0, .random = &unused};
  q_network->SetParameters(parameters);
  const ObservationSpec& spec = network.input;
  std::vector<std::byte> stacked(spec.stacked_bytes());
  FrameStacker stacker(spec, stacked);
  ActOutput output;
  Json json = {{"shape", {spec.stack * spec.channels, spec.height, spec.width}},
               {"element", spec.element == ElementType::kUint8 ? "uint8" : "float32"},
               {"observations", Json::array()},
               {"q", Json::array()}};
  GORILA_ASSIGN_OR_RETURN(TimeStep time_step, environment->Reset(stacker.BeginEpisode()));
  for (int step = 0; json["q"].size() < kQExamples; ++step) {
    if (step % kStepsApart == 0) {
      policy->Act({.observations = stacked, .environments = {&greedy, 1}, .show_values = true},
                  output);
      json["observations"].push_back(Elements(spec, stacked));
      json["q"].push_back(output.values);
    }
    GORILA_ASSIGN_OR_RETURN(
        time_step, time_step.last() ? environment->Reset(stacker.BeginEpisode())
                                    : environment->Step(random.Integer(0, network.num_actions),
                                                        stacker.Advance()));
  }
  return DumpJson(json) + "\n";
}

}  // namespace gorila
