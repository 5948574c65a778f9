#include "gorila/cli/network_source.h"

#include <CLI/App.hpp>
#include <cstdio>

#include "gorila/cli/number_flag.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/run/kept_networks.h"

namespace gorila::cli {
namespace {

// Among several games actions and heads are told apart by their place, so a network would play on
// with others than it learnt.
Status CheckSameGames(const Config& before, const Config& config) {
  if (NumGames(before) < 2) return OkStatus();
  if (config.environment.name != before.environment.name) {
    return InvalidArgument(
        "environment.name is {}, but the run learnt {}; expected the run's, and --game for one of "
        "them",
        config.environment.name, before.environment.name);
  }
  if (config.environment.options.minimal_actions == before.environment.options.minimal_actions) {
    return OkStatus();
  }
  return InvalidArgument(
      "environment.minimal_actions is {}, but the run of several games was made with {}; expected "
      "the run's: other actions would stand in their places",
      config.environment.options.minimal_actions, before.environment.options.minimal_actions);
}

bool NamesGame(const ConfigFlags& flags) {
  constexpr std::string_view kKey = "environment.name";
  return flags.NamesSource() || flags.FlagOf(kKey) != nullptr || flags.Sets(kKey);
}

// Of a file outside any run.
StatusOr<Config> ConfigOfFile(const std::string& learnt, const ConfigFlags& flags) {
  GORILA_ASSIGN_OR_RETURN(Config config, flags.Load());
  if (learnt.empty() || learnt == config.environment.name) return config;
  if (NamesGame(flags)) {
    fmt::print(stderr, "gorila: the network was trained on {}; the settings make it play {}\n",
               learnt, config.environment.name);
    return config;
  }
  GORILA_RETURN_IF_ERROR(SetConfigValue(config, "environment.name", learnt));
  GORILA_RETURN_IF_ERROR(flags.FitGames({}, config));
  return config;
}

}  // namespace

StatusOr<TrainedNetwork> LoadTrainedNetwork(const std::filesystem::path& path,
                                            const ConfigFlags& flags) {
  const auto configure = [&flags](const NetworkOrigin& origin) -> StatusOr<Config> {
    if (origin.config.empty()) return ConfigOfFile(origin.environment, flags);
    if (flags.NamesSource()) return flags.Load();
    GORILA_ASSIGN_OR_RETURN(const Config before, LoadRunConfig(origin.config));
    Config config = before;
    GORILA_RETURN_IF_ERROR(flags.ApplyTo(config));
    GORILA_RETURN_IF_ERROR(CheckSameGames(before, config));
    return config;
  };
  GORILA_ASSIGN_OR_RETURN(TrainedNetwork network, ReadTrainedNetwork(path, configure));
  for (const std::string& warning : network.warnings) {
    fmt::print(stderr, "gorila: {}; using {}\n", warning, network.file.string());
  }
  return network;
}

void AddAtFlag(CLI::App& app, AtFrames& at) {
  constexpr NumberRange kFrames = {.high = std::numeric_limits<std::int64_t>::max()};
  AddNumber(app, "--at", at, kFrames,
            "Take the run's milestone or checkpoint at N frames (default: its newest network)");
}

StatusOr<TrainedNetwork> LoadTrainedNetworkAt(const std::filesystem::path& path, AtFrames at,
                                              const ConfigFlags& flags) {
  if (!at.has_value()) return LoadTrainedNetwork(path, flags);
  const StatusOr<std::filesystem::path> found = NetworkAtFrames(path, *at);
  if (!found.ok()) return Annotate(found.status(), "--at");
  return LoadTrainedNetwork(*found, flags);
}

Status ChooseGame(const std::string& game, Config& config) {
  if (game.empty()) return OkStatus();
  const StatusOr<int> found = FindGame(config, game);
  if (!found.ok()) return Annotate(found.status(), "--game");
  config = OneGame(config, *found);
  return OkStatus();
}

Status ChooseOneGame(std::string_view verb, const std::string& game, Config& config) {
  if (game.empty() && NumGames(config) > 1) {
    return InvalidArgument("{}: the run has several games; choose one with --game: {}", verb,
                           fmt::join(GamesOf(config), ", "));
  }
  return ChooseGame(game, config);
}

void AddGameFlag(CLI::App& app, std::string& game, const char* meaning) {
  app.add_option("--game", game, meaning)->type_name("NAME");
}

}  // namespace gorila::cli
