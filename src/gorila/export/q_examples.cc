#include "gorila/export/q_examples.h"

#include <cstring>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/frame_stacker.h"
#include "gorila/agent/softmax_policy.h"
#include "gorila/base/json.h"
#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"
#include "gorila/export/game_network.h"
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

// What is written of each observation: its "q", or its "policy" and "value".
class Answers {
 public:
  static StatusOr<Answers> Make(const Config& config, const NetworkSpec& spec,
                                std::span<const float> parameters) {
    Answers answers;
    answers.is_policy_ = ActsByPolicy(config);
    GORILA_ASSIGN_OR_RETURN(answers.network_, MakeQNetwork("auto", spec, 1));
    GORILA_ASSIGN_OR_RETURN(answers.policy_,
                            MakePolicy(config.learner.agent, *answers.network_, ActBy::kArgmax));
    answers.network_->SetParameters(parameters);
    return answers;
  }

  void Begin(Json& json) const {
    for (const char* const name : names()) json[name] = Json::array();
  }
  void Add(std::span<const std::byte> stacked, Json& json) {
    RandomStream unused(kSeed);
    const ActingEnvironment greedy{.epsilon = 0, .random = &unused};
    policy_->Act({.observations = stacked, .environments = {&greedy, 1}, .show_values = true},
                 output_);
    json[names().front()].push_back(output_.values);
    if (!is_policy_) return;
    std::vector<float> outputs(static_cast<std::size_t>(network_->spec().outputs()));
    network_->Predict(stacked, 1, outputs);
    json["value"].push_back(DecodePolicy(outputs, output_.values));
  }

 private:
  std::vector<const char*> names() const {
    return is_policy_ ? std::vector{"policy", "value"} : std::vector{"q"};
  }

  bool is_policy_ = false;
  std::unique_ptr<QNetwork> network_;
  std::unique_ptr<Policy> policy_;
  ActOutput output_;
};

}  // namespace

StatusOr<std::string> EncodeQExamples(const Config& config, std::span<const float> parameters) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Environment> environment,
      MakeEnvironment(config.environment.name, config.environment.options,
                      MakeRandomDraws(RandomStream::Derive(kSeed, "example environment"))));
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const algorithm,
                          FindAlgorithm(config.learner.agent.algorithm));
  // What the exported network answers: of several games, for actions that the game lacks too.
  const GameNetwork game =
      NetworkOfGame(network, algorithm->form(config.learner.agent, network.num_actions), parameters,
                    environment->spec().game);
  GORILA_ASSIGN_OR_RETURN(Answers answers, Answers::Make(config, game.spec, game.parameters));
  RandomStream random = RandomStream::Derive(kSeed, "example actions");
  const ObservationSpec& spec = network.input;
  std::vector<std::byte> stacked(spec.stacked_bytes());
  FrameStacker stacker(spec, stacked);
  Json json = {{"shape", {spec.stack * spec.channels, spec.height, spec.width}},
               {"element", spec.element == ElementType::kUint8 ? "uint8" : "float32"},
               {"observations", Json::array()}};
  answers.Begin(json);
  GORILA_ASSIGN_OR_RETURN(TimeStep time_step, environment->Reset(stacker.BeginEpisode()));
  for (int step = 0; json["observations"].size() < kQExamples; ++step) {
    if (step % kStepsApart == 0) {
      json["observations"].push_back(Elements(spec, stacked));
      answers.Add(stacked, json);
    }
    GORILA_ASSIGN_OR_RETURN(
        time_step, time_step.last() ? environment->Reset(stacker.BeginEpisode())
                                    : environment->Step(random.Integer(0, network.num_actions),
                                                        stacker.Advance()));
  }
  return DumpJson(json) + "\n";
}

}  // namespace gorila
