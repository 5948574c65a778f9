#include "gorila/dashboard/game_view.h"

#include <absl/strings/escaping.h>

#include <algorithm>

#include "gorila/base/json.h"
#include "gorila/env/registry.h"
#include "gorila/metrics/png_image.h"
#include "gorila/runtime/agent_parts.h"
#include "gorila/runtime/cluster.h"

namespace gorila {

StatusOr<std::unique_ptr<GameView>> GameView::Make(const Config& config,
                                                   std::unique_ptr<ParameterSource> source,
                                                   std::function<double()> epsilon,
                                                   std::uint64_t seed) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<QNetwork> network,
                          MakeQNetwork(CpuBackend(config), spec, 1));
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<Environment> environment,
      MakeEnvironment(config.environment.name, config.environment.options,
                      MakeRandomDraws(RandomStream::Derive(seed, "dashboard environment"))));
  return std::unique_ptr<GameView>(new GameView(spec, std::move(environment), std::move(network),
                                                std::move(source), std::move(epsilon), seed));
}

GameView::GameView(NetworkSpec spec, std::unique_ptr<Environment> environment,
                   std::unique_ptr<QNetwork> network, std::unique_ptr<ParameterSource> source,
                   std::function<double()> epsilon, std::uint64_t seed)
    : spec_(std::move(spec)),
      environment_(std::move(environment)),
      network_(std::move(network)),
      source_(std::move(source)),
      epsilon_of_(std::move(epsilon)),
      random_(RandomStream::Derive(seed, "dashboard actions")),
      stacked_(spec_.input.stacked_bytes()),
      stacker_(spec_.input, stacked_),
      q_(static_cast<std::size_t>(spec_.num_actions)) {}

Status GameView::Refresh() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_refresh_) return OkStatus();
  const StatusOr<bool> changed = source_->Refresh(parameters_);
  // A file that is being replaced is there again a second later.
  if (!changed.ok() && !has_parameters_) return changed.status();
  next_refresh_ = now + std::chrono::seconds(1);
  epsilon_ = epsilon_of_();
  if (changed.ok() && *changed) {
    network_->SetParameters(parameters_);
    has_parameters_ = true;
  }
  return OkStatus();
}

StatusOr<std::string> GameView::Picture() const {
  RgbImage image;
  environment_->Render(image);
  GORILA_ASSIGN_OR_RETURN(const std::string png, EncodePng(image));
  return "data:image/png;base64," + absl::Base64Escape(png);
}

StatusOr<std::string> GameView::Step() {
  GORILA_RETURN_IF_ERROR(Refresh());
  if (time_step_.last()) {
    time_step_ = environment_->Reset(stacker_.BeginEpisode());
    ++episode_;
    steps_ = 0;
    episode_return_ = 0;
  }
  network_->Predict(stacked_, 1, q_);
  int action = static_cast<int>(std::max_element(q_.begin(), q_.end()) - q_.begin());
  const bool explores = random_.Uniform() < epsilon_;
  if (explores) action = random_.Integer(0, spec_.num_actions);
  GORILA_ASSIGN_OR_RETURN(const std::string picture, Picture());
  const nlohmann::ordered_json json = {{"image", picture},
                                       {"actions", environment_->spec().action_names},
                                       {"q", q_},
                                       {"chosen", action},
                                       {"explores", explores},
                                       {"epsilon", epsilon_},
                                       {"episode", episode_},
                                       {"step", steps_},
                                       {"return", episode_return_},
                                       {"source", source_->Describe()}};
  time_step_ = environment_->Step(action, stacker_.Advance());
  episode_return_ += time_step_.reward;
  ++steps_;
  return DumpJson(json);
}

}  // namespace gorila
