// A run may be resumed with further games.
#ifndef GORILA_RUN_ADDED_GAMES_H_
#define GORILA_RUN_ADDED_GAMES_H_

#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/run/resume_rules.h"

namespace gorila {

// The games that `config` has after all those of the state; empty where environment.name is as it
// was, or another list. InvalidArgument where they would change the network: its input or what that
// says of the games, its actions or its heads.
StatusOr<std::vector<std::string>> AddedGames(const MadeWith& made_with, const Config& config);

// What people are told of it.
std::string JoinedBy(const std::vector<std::string>& added);

}  // namespace gorila

#endif  // GORILA_RUN_ADDED_GAMES_H_
