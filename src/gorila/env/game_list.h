// Several games by one name: "minatar", "minatar/breakout,minatar/asterix".
#ifndef GORILA_ENV_GAME_LIST_H_
#define GORILA_ENV_GAME_LIST_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// "atari49" (the games of the DQN and Gorila papers), "minatar", "pixel".
std::span<const std::string_view> GameLists();

// The environments of a list; empty for a name that is none.
std::vector<std::string> GamesOfList(std::string_view list);

// The names in `text`, which ',' separates, in their order; lists are not expanded. Of the name of
// one environment itself.
std::vector<std::string> SplitGames(std::string_view text);

// The environments of `text`, which has names of environments and lists. InvalidArgument for a name
// that is empty or stands there twice, or, where there are several, for an unknown one.
StatusOr<std::vector<std::string>> ExpandGames(std::string_view text);

// For people and for names of folders: a list's name where `text` has all of its games, else
// `text`, or of many games how many there are.
std::string GamesLabel(std::string_view text);

}  // namespace gorila

#endif  // GORILA_ENV_GAME_LIST_H_
