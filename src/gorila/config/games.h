// The games of a run, which may be several that share one network.
#ifndef GORILA_CONFIG_GAMES_H_
#define GORILA_CONFIG_GAMES_H_

#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

// environment.name, one by one; a game's index is its place here.
std::vector<std::string> GamesOf(const Config& config);
int NumGames(const Config& config);

// The same run as one of its games sees it: for whatever plays, evaluates or shows one game with
// the network of all. Of a run with one game the configuration itself.
Config OneGame(const Config& config, int game);

// The index of a game by its name, or the end of it after '/' or ':' ("breakout"). InvalidArgument,
// naming the run's games, for one that is not there or could be several.
StatusOr<int> FindGame(const Config& config, std::string_view name);

// The environments of all actors are dealt out to the games in turn.
inline int GameOfEnvironment(int environment, int games) { return environment % games; }

// Makes actor.environments a multiple of the games, if it is not one: the next larger.
void FitEnvironments(Config& config);

// InvalidArgument where games would not be played equally often.
Status CheckGames(const Config& config);

}  // namespace gorila

#endif  // GORILA_CONFIG_GAMES_H_
