#include "gorila/config/games.h"

#include <utility>

#include "gorila/env/game_list.h"

namespace gorila {

std::vector<std::string> GamesOf(const Config& config) {
  return SplitGames(config.environment.name);
}

int NumGames(const Config& config) { return static_cast<int>(GamesOf(config).size()); }

Config OneGame(const Config& config, int game) {
  std::vector<std::string> games = GamesOf(config);
  if (games.size() < 2) return config;
  Config one = config;
  one.environment.name = games[static_cast<std::size_t>(game)];
  one.environment.options.games = std::move(games);
  return one;
}

StatusOr<int> FindGame(const Config& config, std::string_view name) {
  const std::vector<std::string> games = GamesOf(config);
  std::vector<int> found;
  for (std::size_t i = 0; i < games.size(); ++i) {
    if (games[i] == name) return static_cast<int>(i);
    const bool is_end = games[i].size() > name.size() && games[i].ends_with(name);
    if (!is_end) continue;
    const char before = games[i][games[i].size() - name.size() - 1];
    if (before == '/' || before == ':') found.push_back(static_cast<int>(i));
  }
  if (found.size() == 1) return found.front();
  return InvalidArgument("'{}' is {} of the run's games; expected one of {}", name,
                         found.empty() ? "none" : "more than one", fmt::join(games, ", "));
}

void FitEnvironments(Config& config) {
  const int games = NumGames(config);
  int& environments = config.actor.environments;
  environments = (environments + games - 1) / games * games;
}

// Bundles and actors run at their own pace, so equal shares of each are better than equal shares of
// all; the latter are allowed, as each environment may need a whole machine.
Status CheckGames(const Config& config) {
  const int games = NumGames(config);
  const int environments = config.actor.environments;
  const int actors = config.run.bundles + config.cluster.actors;
  if (environments % games == 0 || actors * environments % games == 0) return OkStatus();
  return InvalidArgument(
      "actor.environments is {}: {} actors cannot play {} games equally with {} environments; "
      "expected a multiple of {}, such as {}",
      environments, actors, games, actors * environments, games,
      environments + games - environments % games);
}

}  // namespace gorila
