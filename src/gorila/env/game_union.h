// Several games that share one network: what they have in common, and each of them seen so.
#ifndef GORILA_ENV_GAME_UNION_H_
#define GORILA_ENV_GAME_UNION_H_

#include <memory>
#include <span>
#include <vector>

#include "gorila/env/environment.h"
#include "gorila/env/environment_factory.h"

namespace gorila {

struct GameUnion {
  // The least observation that has room for each game's, padded with zeros after its channels, rows
  // and columns; with `game_input` one more channel, in which a part of the picture says which game
  // it is, or of vectors an element for each game. Actions are those of all games, by name, in the
  // order in which the games have them.
  EnvironmentSpec spec;
  // Of each game: its own action for each of the common ones; -1 where it has none.
  std::vector<std::vector<int>> own_actions;
  bool game_input = false;
};

// InvalidArgument, naming two games, where they cannot share a network: a vector and a picture,
// other elements, scales or stacks; or more games than the picture has pixels to say which. At
// least one game.
StatusOr<GameUnion> UniteGames(std::span<const EnvironmentSpec> games, bool game_input);

// The environments of `factory`, which are game `game` of `all`, as all of them look together. An
// action that the game lacks, which no policy chooses, does what its action 0 does.
std::unique_ptr<EnvironmentFactory> MakeUnitedFactory(std::unique_ptr<EnvironmentFactory> factory,
                                                      GameUnion all, int game);

}  // namespace gorila

#endif  // GORILA_ENV_GAME_UNION_H_
