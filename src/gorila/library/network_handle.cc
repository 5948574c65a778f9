#include "gorila/library/network_handle.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "gorila/agent/action_mask.h"
#include "gorila/agent/algorithm.h"
#include "gorila/agent/softmax_policy.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/env/registry.h"
#include "gorila/library/settings.h"
#include "gorila/library/signals_wait.h"

namespace gorila::library {
namespace {

namespace fs = std::filesystem;

// Computed together; more are computed one part after another.
constexpr std::size_t kMostAtOnce = 256;

// Never libtorch: the process may have another one (Python's).
void ComputeHere(NetworkSection& network) {
  if (network.device != "cpu" || network.backend == "torch") network.backend = "auto";
  network.device = "cpu";
}

StatusOr<Config> ConfigOf(const NetworkOrigin& origin, const char* file,
                          std::span<const char* const> settings) {
  const fs::path own = file == nullptr ? fs::path() : fs::path(file);
  GORILA_ASSIGN_OR_RETURN(Config config, file != nullptr || origin.config.empty()
                                             ? LoadConfig({.preset = {}, .file = own, .sets = {}})
                                             : LoadRunConfig(origin.config));
  if (file == nullptr && !origin.environment.empty()) {
    GORILA_RETURN_IF_ERROR(SetConfigValue(config, "environment.name", origin.environment));
  }
  GORILA_RETURN_IF_ERROR(ApplySettings(settings, config));
  GORILA_RETURN_IF_ERROR(UseRomsVariable(config));
  ComputeHere(config.network);
  return config;
}

}  // namespace
}  // namespace gorila::library

using gorila::ActBy;
using gorila::library::kMostAtOnce;

gorila::StatusOr<std::unique_ptr<gorila_network>> gorila_network::Load(
    const char* path, const char* config, std::span<const char* const> settings) {
  std::unique_ptr<gorila_network> network(new gorila_network);
  GORILA_ASSIGN_OR_RETURN(
      network->trained_, gorila::ReadTrainedNetwork(path, [&](const gorila::NetworkOrigin& origin) {
        return gorila::library::ConfigOf(origin, config, settings);
      }));
  const gorila::Config& own = network->trained_.config;
  GORILA_ASSIGN_OR_RETURN(
      network->environment_,
      gorila::DescribeEnvironment(own.environment.name, own.environment.options));
  GORILA_ASSIGN_OR_RETURN(network->agent_, gorila::MakePlayingAgent(own, int{kMostAtOnce}));
  gorila::PlayingAgent& agent = network->agent_;
  agent.network->SetParameters(network->trained_.parameters);
  GORILA_ASSIGN_OR_RETURN(
      network->other_way_,
      gorila::MakePolicy(own.learner.agent, *agent.network,
                         agent.act_by == ActBy::kSample ? ActBy::kArgmax : ActBy::kSample));
  network->file_ = network->trained_.file.string();
  network->warnings_ = fmt::format("{}", fmt::join(network->trained_.warnings, "\n"));
  network->config_text_ = gorila::ToToml(own);
  network->run_ = own;
  network->games_ = gorila::GamesOf(own);
  return network;
}

gorila::Status gorila_network::ChooseGame(const char* game) {
  GORILA_ASSIGN_OR_RETURN(const int found, gorila::FindGame(run_, game));
  gorila::Config one = gorila::OneGame(run_, found);
  GORILA_ASSIGN_OR_RETURN(
      environment_, gorila::DescribeEnvironment(one.environment.name, one.environment.options));
  trained_.config = std::move(one);
  return gorila::OkStatus();
}

gorila::Status gorila_network::CheckGame() const {
  if (gorila::NumGames(trained_.config) == 1) return gorila::OkStatus();
  return gorila::InvalidArgument(
      "the network plays several games; choose one of them first (gorila_network_choose_game, or "
      "gorila.load(path, game=...) in Python): {}",
      fmt::join(games_, ", "));
}

void gorila_network::Choose(std::span<const std::byte> observations, std::size_t count,
                            std::size_t first, ActBy act_by, double epsilon, std::uint64_t seed) {
  // Without exploration nothing comes of the draws.
  const bool draws = epsilon > 0 || (is_policy() && act_by == ActBy::kSample);
  const std::size_t streams = draws ? count : 1;
  streams_.clear();
  for (std::size_t i = 0; i < streams; ++i) {
    streams_.push_back(gorila::RandomStream::Derive(seed, "library actions", first + i));
  }
  acting_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    acting_.push_back({.epsilon = epsilon,
                       .random = &streams_[std::min(i, streams - 1)],
                       .game = environment_.game});
  }
  const gorila::library::SignalsWait signals_wait;
  gorila::Policy& policy = act_by == agent_.act_by ? *agent_.policy : *other_way_;
  policy.Act({.observations = observations, .environments = acting_, .show_values = true}, chosen_);
}

void gorila_network::QValues(std::span<const std::byte> observations, std::span<float> q) {
  const std::size_t bytes = input().stacked_bytes();
  const std::size_t batch = observations.size() / bytes;
  for (std::size_t first = 0; first < batch; first += kMostAtOnce) {
    const std::size_t count = std::min(kMostAtOnce, batch - first);
    Choose(observations.subspan(first * bytes, count * bytes), count, first, ActBy::kArgmax, 0, 0);
    std::copy(chosen_.values.begin(), chosen_.values.end(),
              q.begin() + static_cast<std::ptrdiff_t>(first) * num_actions());
  }
}

void gorila_network::Probabilities(std::span<const std::byte> observations,
                                   std::span<float> probabilities, std::span<float> values) {
  const std::size_t bytes = input().stacked_bytes();
  const std::size_t batch = observations.size() / bytes;
  const auto actions = static_cast<std::size_t>(num_actions());
  const auto width = static_cast<std::size_t>(agent_.network->spec().outputs());
  const gorila::AllowedActions allowed =
      gorila::ActionsOfGame(agent_.network->spec().game_actions, environment_.game);
  outputs_.resize(kMostAtOnce * width);
  of_state_.resize(actions);
  for (std::size_t i = 0; i < batch; ++i) {
    const std::size_t row = i % kMostAtOnce;
    if (row == 0) {
      const std::size_t count = std::min(kMostAtOnce, batch - i);
      const gorila::library::SignalsWait signals_wait;
      games_of_batch_.assign(count, environment_.game);
      agent_.network->UseGames(games_of_batch_);
      agent_.network->Predict(observations.subspan(i * bytes, count * bytes),
                              static_cast<int>(count), std::span(outputs_).first(count * width));
    }
    gorila::FillForbidden(allowed, gorila::kNever,
                          std::span(outputs_).subspan(row * width, actions));
    const float value =
        gorila::DecodePolicy(std::span(outputs_).subspan(row * width, width), of_state_);
    if (!values.empty()) values[i] = value;
    if (probabilities.empty()) continue;
    std::copy(of_state_.begin(), of_state_.end(),
              probabilities.begin() + static_cast<std::ptrdiff_t>(i * actions));
  }
}

void gorila_network::Act(std::span<const std::byte> observations, ActBy act_by, double epsilon,
                         std::uint64_t seed, std::span<std::int64_t> actions) {
  const std::size_t bytes = input().stacked_bytes();
  for (std::size_t first = 0; first < actions.size(); first += kMostAtOnce) {
    const std::size_t count = std::min(kMostAtOnce, actions.size() - first);
    Choose(observations.subspan(first * bytes, count * bytes), count, first, act_by, epsilon, seed);
    std::copy(chosen_.actions.begin(), chosen_.actions.end(),
              actions.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

gorila::StatusOr<gorila::EvaluationResult> gorila_network::Evaluate(
    const char* protocol, int episodes, std::uint64_t seed, double epsilon,
    std::function<bool()> cancelled) const {
  gorila::Config config = trained_.config;
  if (epsilon >= 0) config.evaluation.epsilon = epsilon;
  const gorila::library::SignalsWait signals_wait;
  std::function<bool()> ask;
  if (cancelled) ask = [&] { return signals_wait.Interrupted(cancelled); };
  return gorila::Evaluate(config, trained_.parameters,
                          {.protocol = protocol == nullptr ? config.evaluation.protocol : protocol,
                           .episodes = episodes,
                           .seed = seed,
                           .cancelled = std::move(ask)});
}
