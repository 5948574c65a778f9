#include "gorila/dashboard/game_view.h"

#include <absl/strings/escaping.h>

#include "gorila/base/json.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/player.h"
#include "gorila/evaluation/playing_agent.h"
#include "gorila/evaluation/protocol_label.h"
#include "gorila/metrics/png_image.h"

namespace gorila {

StatusOr<std::unique_ptr<GameView>> GameView::Make(const Config& config,
                                                   std::unique_ptr<ParameterSource> source,
                                                   std::function<double()> epsilon,
                                                   std::uint64_t seed) {
  GORILA_ASSIGN_OR_RETURN(PlayingAgent agent, MakePlayingAgent(config, 1));
  EnvironmentOptions options = config.environment.options;
  options.external.pictures = true;
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<Environment> environment,
      MakeEnvironment(config.environment.name, options,
                      MakeRandomDraws(RandomStream::Derive(seed, "dashboard environment"))));
  return std::unique_ptr<GameView>(new GameView(std::move(environment), std::move(agent),
                                                std::move(source), std::move(epsilon), seed));
}

GameView::GameView(std::unique_ptr<Environment> environment, PlayingAgent agent,
                   std::unique_ptr<ParameterSource> source, std::function<double()> epsilon,
                   std::uint64_t seed)
    : environment_(std::move(environment)),
      agent_(std::move(agent)),
      source_(std::move(source)),
      epsilon_of_(std::move(epsilon)),
      random_(RandomStream::Derive(seed, "dashboard actions")),
      stacks_(agent_.network->spec().input, 1) {}

Status GameView::Refresh() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_refresh_) return OkStatus();
  const StatusOr<bool> changed = source_->Refresh(parameters_);
  // A file that is being replaced is back a second later.
  if (!changed.ok() && !has_parameters_) return changed.status();
  next_refresh_ = now + std::chrono::seconds(1);
  epsilon_ = epsilon_of_();
  if (changed.ok() && *changed) {
    agent_.network->SetParameters(parameters_);
    has_parameters_ = true;
  }
  return OkStatus();
}

StatusOr<std::string> GameView::Picture() const {
  RgbImage image;
  GORILA_RETURN_IF_ERROR(environment_->Render(image));
  GORILA_ASSIGN_OR_RETURN(const std::string png, EncodePng(image));
  return "data:image/png;base64," + absl::Base64Escape(png);
}

// Of several games with one network each has some of its actions.
nlohmann::ordered_json GameView::ActionsJson() const {
  const EnvironmentSpec& spec = environment_->spec();
  std::vector<float> values;
  std::size_t chosen = 0;
  for (const int action : OwnActions(spec)) {
    if (action == chosen_.actions[0]) chosen = values.size();
    values.push_back(chosen_.values[static_cast<std::size_t>(action)]);
  }
  return {{"actions", OwnActionNames(spec)},
          {agent_.is_policy ? "probabilities" : "q", values},
          {"chosen", chosen}};
}

StatusOr<std::string> GameView::Step() {
  GORILA_RETURN_IF_ERROR(Refresh());
  FrameStacker stacker = stacks_.stacker(0);
  if (time_step_.last()) {
    GORILA_ASSIGN_OR_RETURN(time_step_, environment_->Reset(stacker.BeginEpisode()));
    ++episode_;
    steps_ = 0;
    episode_return_ = 0;
  }
  const ActingEnvironment acting{
      .epsilon = epsilon_, .random = &random_, .game = environment_->spec().game};
  agent_.policy->Act(
      {.observations = stacks_.all(), .environments = {&acting, 1}, .show_values = true}, chosen_);
  GORILA_ASSIGN_OR_RETURN(const std::string picture, Picture());
  nlohmann::ordered_json json = {{"image", picture}};
  json.update(ActionsJson());
  json["explores"] = chosen_.explored[0] != 0;
  json["epsilon"] = epsilon_;
  json["episode"] = episode_;
  json["step"] = steps_;
  json["return"] = episode_return_;
  json["source"] = source_->Describe();
  if (agent_.is_policy) json["act"] = ActName(agent_.act_by);
  const StatusOr<TimeStep> step = environment_->Step(chosen_.actions[0], stacker.Advance());
  // The next call begins another episode.
  if (!step.ok()) time_step_.step_type = StepType::kLast;
  GORILA_RETURN_IF_ERROR(step.status());
  time_step_ = *step;
  episode_return_ += time_step_.reward;
  ++steps_;
  return DumpJson(json);
}

}  // namespace gorila
