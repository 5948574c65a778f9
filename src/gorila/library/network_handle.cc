#include "gorila/library/network_handle.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
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

StatusOr<Config> ConfigOf(const fs::path& run, const char* file,
                          std::span<const char* const> settings) {
  const fs::path own = file == nullptr ? fs::path() : fs::path(file);
  GORILA_ASSIGN_OR_RETURN(Config config, file != nullptr || run.empty()
                                             ? LoadConfig({.preset = {}, .file = own, .sets = {}})
                                             : LoadRunConfig(run));
  GORILA_RETURN_IF_ERROR(ApplySettings(settings, config));
  GORILA_RETURN_IF_ERROR(UseRomsVariable(config));
  ComputeHere(config.network);
  return config;
}

}  // namespace
}  // namespace gorila::library

using gorila::library::kMostAtOnce;

gorila::StatusOr<std::unique_ptr<gorila_network>> gorila_network::Load(
    const char* path, const char* config, std::span<const char* const> settings) {
  std::unique_ptr<gorila_network> network(new gorila_network);
  GORILA_ASSIGN_OR_RETURN(network->trained_,
                          gorila::ReadTrainedNetwork(path, [&](const std::filesystem::path& run) {
                            return gorila::library::ConfigOf(run, config, settings);
                          }));
  const gorila::Config& own = network->trained_.config;
  GORILA_ASSIGN_OR_RETURN(
      network->environment_,
      gorila::DescribeEnvironment(own.environment.name, own.environment.options));
  GORILA_ASSIGN_OR_RETURN(network->agent_, gorila::MakePlayingAgent(own, int{kMostAtOnce}));
  network->agent_.network->SetParameters(network->trained_.parameters);
  network->file_ = network->trained_.file.string();
  network->warnings_ = fmt::format("{}", fmt::join(network->trained_.warnings, "\n"));
  network->config_text_ = gorila::ToToml(own);
  return network;
}

void gorila_network::Choose(std::span<const std::byte> observations, std::size_t count,
                            std::size_t first, double epsilon, std::uint64_t seed) {
  // Without exploration nothing comes of the draws.
  const std::size_t streams = epsilon > 0 ? count : 1;
  streams_.clear();
  for (std::size_t i = 0; i < streams; ++i) {
    streams_.push_back(gorila::RandomStream::Derive(seed, "library actions", first + i));
  }
  acting_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    acting_.push_back({.epsilon = epsilon, .random = &streams_[std::min(i, streams - 1)]});
  }
  const gorila::library::SignalsWait signals_wait;
  agent_.policy->Act({.observations = observations, .environments = acting_, .show_values = true},
                     chosen_);
}

void gorila_network::QValues(std::span<const std::byte> observations, std::span<float> q) {
  const std::size_t bytes = input().stacked_bytes();
  const std::size_t batch = observations.size() / bytes;
  for (std::size_t first = 0; first < batch; first += kMostAtOnce) {
    const std::size_t count = std::min(kMostAtOnce, batch - first);
    Choose(observations.subspan(first * bytes, count * bytes), count, first, 0, 0);
    std::copy(chosen_.values.begin(), chosen_.values.end(),
              q.begin() + static_cast<std::ptrdiff_t>(first) * num_actions());
  }
}

void gorila_network::Act(std::span<const std::byte> observations, double epsilon,
                         std::uint64_t seed, std::span<std::int64_t> actions) {
  const std::size_t bytes = input().stacked_bytes();
  for (std::size_t first = 0; first < actions.size(); first += kMostAtOnce) {
    const std::size_t count = std::min(kMostAtOnce, actions.size() - first);
    Choose(observations.subspan(first * bytes, count * bytes), count, first, epsilon, seed);
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
