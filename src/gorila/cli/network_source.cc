#include "gorila/cli/network_source.h"

#include <CLI/App.hpp>
#include <cstdio>

#include "gorila/config/config_load.h"
#include "gorila/config/games.h"

namespace gorila::cli {

StatusOr<TrainedNetwork> LoadTrainedNetwork(const std::filesystem::path& path,
                                            const ConfigFlags& flags) {
  const auto configure = [&flags](const std::filesystem::path& run) -> StatusOr<Config> {
    if (flags.NamesSource() || run.empty()) return flags.Load();
    GORILA_ASSIGN_OR_RETURN(Config config, LoadRunConfig(run));
    GORILA_RETURN_IF_ERROR(flags.ApplyTo(config));
    return config;
  };
  GORILA_ASSIGN_OR_RETURN(TrainedNetwork network, ReadTrainedNetwork(path, configure));
  for (const std::string& warning : network.warnings) {
    fmt::print(stderr, "gorila: {}; using {}\n", warning, network.file.string());
  }
  return network;
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
