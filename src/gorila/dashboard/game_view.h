// A game that the trained agent plays for a viewer. It has its own environment and network, and
// shares nothing with the run but the parameters it pulls.
#ifndef GORILA_DASHBOARD_GAME_VIEW_H_
#define GORILA_DASHBOARD_GAME_VIEW_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gorila/agent/frame_stacker.h"
#include "gorila/agent/policy.h"
#include "gorila/base/json.h"
#include "gorila/base/random.h"
#include "gorila/config/config.h"
#include "gorila/dashboard/parameter_source.h"
#include "gorila/env/environment.h"
#include "gorila/evaluation/playing_agent.h"

namespace gorila {

// For one thread.
class GameView {
 public:
  // `config` has one game (config/games.h). `epsilon` is asked about once a second: the
  // probability of a random action.
  static StatusOr<std::unique_ptr<GameView>> Make(const Config& config,
                                                  std::unique_ptr<ParameterSource> source,
                                                  std::function<double()> epsilon,
                                                  std::uint64_t seed);

  // One step of the game, with parameters that are at most about a second old; then a JSON object
  // in one line: the picture (a data URL), of each action that the game has its Q-value ("q") or,
  // of a policy, its probability ("probabilities", beside "act": "sample" or "argmax"), the chosen
  // action, whether epsilon chose it ("explores"), and how the episode goes. NotFound while the run
  // has no network.
  StatusOr<std::string> Step();

 private:
  GameView(std::unique_ptr<Environment> environment, PlayingAgent agent,
           std::unique_ptr<ParameterSource> source, std::function<double()> epsilon,
           std::uint64_t seed);
  Status Refresh();
  StatusOr<std::string> Picture() const;
  nlohmann::ordered_json ActionsJson() const;

  const std::unique_ptr<Environment> environment_;
  const PlayingAgent agent_;
  const std::unique_ptr<ParameterSource> source_;
  const std::function<double()> epsilon_of_;
  RandomStream random_;
  std::chrono::steady_clock::time_point next_refresh_{};
  bool has_parameters_ = false;
  std::vector<float> parameters_;
  FrameStacks stacks_;
  ActOutput chosen_;
  TimeStep time_step_{.step_type = StepType::kLast};  // so that the first step begins an episode
  double epsilon_ = 0;
  std::int64_t episode_ = 0;
  std::int64_t steps_ = 0;
  double episode_return_ = 0;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_GAME_VIEW_H_
