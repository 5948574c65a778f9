// How good a network is, by a named protocol.
#ifndef GORILA_EVALUATION_EVALUATOR_H_
#define GORILA_EVALUATION_EVALUATOR_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/agent/policy.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/metrics/episode_statistics.h"

namespace gorila {

// What is fixed when a score is reported under this name and version. A change gets a new version.
// A lost life never ends an episode, and points are never clipped.
struct EvaluationProtocol {
  std::string_view name;
  int version = 1;
  std::string_view summary;
  double epsilon;  // of the evaluated agent, unless evaluation.epsilon says otherwise
  // An episode is cut off after so many steps; its return so far counts.
  std::int64_t max_steps = 100'000;

  // Games on a console (environments with [atari] options); -1 = as configured.
  int noop_max = -1;
  int max_frames = -1;  // of the emulator, those before the agent's first step included
  double repeat_action_probability = -1;
  bool human_starts = false;  // episodes begin at the start points of evaluation.starts
};
std::span<const EvaluationProtocol> EvaluationProtocols();
StatusOr<const EvaluationProtocol*> FindEvaluationProtocol(std::string_view name);

// The probability of a random action: evaluation.epsilon, or else the protocol's own. Where actions
// are sampled from a policy, which varies episodes as the protocol's epsilon is meant to: 0.
double EvaluationEpsilon(const Config& config, const EvaluationProtocol& protocol);

// The options of the environments in which `protocol` is played.
EnvironmentOptions EvaluationOptions(const EnvironmentOptions& configured,
                                     const EvaluationProtocol& protocol);

struct EvaluationResult {
  std::string protocol;  // as ProtocolLabel has it
  int version = 1;       // of the protocol
  double epsilon = 0;
  ActBy act = ActBy::kArgmax;  // how a policy chose; of values always the best
  // The probability that the environment repeated an action; older versions did not record it.
  std::optional<double> sticky_actions = {};
  std::vector<double> returns;  // one an episode, in the order of their seeds
  std::int64_t steps = 0;       // over all episodes
  ReturnSummary summary;        // of the returns

  // Of several games that share the network (games_evaluation.h): each game's result, and what
  // `returns` are then, of which each is the mean over one episode a game.
  std::string game = {};  // which, of one among several
  std::vector<EvaluationResult> games = {};
  std::string aggregate = {};
};

struct EvaluationRequest {
  std::string protocol = "greedy";
  int episodes = 100;
  // Episode i uses streams derived from this and i, whatever runs beside it.
  std::uint64_t seed = 1;
  std::function<bool()> cancelled = {};  // asked once a step; may be empty
};

// Plays `episodes` episodes of the configured environment, which is one game, with the given
// parameters. Every started episode is counted, so that short ones are not preferred. With human
// starts episode i begins at start point i modulo their number, and only what the agent wins itself
// counts. Blocks; Cancelled when asked to end.
StatusOr<EvaluationResult> Evaluate(const Config& config, std::span<const float> parameters,
                                    const EvaluationRequest& request);

// The seed of a run's final evaluation; it differs from those of training and periodic evaluations.
std::uint64_t FinalEvaluationSeed(const Config& config);

}  // namespace gorila

#endif  // GORILA_EVALUATION_EVALUATOR_H_
