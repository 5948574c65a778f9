#include "gorila/run/added_games.h"

#include <algorithm>

#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"

namespace gorila {
namespace {

// Its network as it was, before games were added.
StatusOr<NetworkSpec> NetworkBefore(const Config& config, const std::string& games) {
  Config before = config;
  before.environment.name = games;
  return ResolveNetwork(before);
}

Status CheckSameNetwork(const NetworkSpec& before, const NetworkSpec& after) {
  const auto refuse = [](std::string_view what, int was, int would_be) {
    return InvalidArgument(
        "environment.name: with the further games the network would have {} {} instead of {}; "
        "expected games that fit the network as it is, or a new run with all of them",
        would_be, what, was);
  };
  if (after.input_channels() != before.input_channels()) {
    return refuse("input channels", before.input_channels(), after.input_channels());
  }
  if (after.input.height != before.input.height || after.input.width != before.input.width) {
    return refuse("pixels", before.input.height * before.input.width,
                  after.input.height * after.input.width);
  }
  if (after.num_actions != before.num_actions) {
    return refuse("actions", before.num_actions, after.num_actions);
  }
  if (after.layer_outputs() != before.layer_outputs()) {
    return refuse("outputs, with network.heads per_game,", before.layer_outputs(),
                  after.layer_outputs());
  }
  return OkStatus();
}

// Which part of the input each game marks depends on how many there are (env/game_union.cc); of one
// game there is none, and the shapes tell.
Status CheckSameMarks(const Config& config, std::size_t games_before) {
  if (!config.environment.options.game_input || games_before < 2) return OkStatus();
  return InvalidArgument(
      "environment.name: with network.game_input = true further games would change which part of "
      "the input stands for each of the {} games that the run has; expected the games that it has, "
      "or a new run with all of them",
      games_before);
}

}  // namespace

StatusOr<std::vector<std::string>> AddedGames(const MadeWith& made_with, const Config& config) {
  std::vector<std::string> games = GamesOf(config);
  const auto saved = made_with.find("environment.name");
  if (saved == made_with.end()) return std::vector<std::string>();
  Config state;
  GORILA_RETURN_IF_ERROR(SetConfigValue(state, "environment.name", saved->second));
  const std::vector<std::string> before = GamesOf(state);
  if (before == games) return std::vector<std::string>();
  if (games.size() <= before.size() || !std::equal(before.begin(), before.end(), games.begin())) {
    return std::vector<std::string>();  // another task; CheckResumable says so
  }
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec was, NetworkBefore(config, state.environment.name));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec now, ResolveNetwork(config));
  GORILA_RETURN_IF_ERROR(CheckSameNetwork(was, now));
  GORILA_RETURN_IF_ERROR(CheckSameMarks(config, before.size()));
  games.erase(games.begin(), games.begin() + static_cast<std::ptrdiff_t>(before.size()));
  return games;
}

std::string JoinedBy(const std::vector<std::string>& added) {
  return fmt::format(
      "the games are joined by {}: all begin new episodes, and bundles' replay memories are empty",
      fmt::join(added, ", "));
}

}  // namespace gorila
