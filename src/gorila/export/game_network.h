// Of a network of several games the one that a game sees, for programs that know nothing of games.
#ifndef GORILA_EXPORT_GAME_NETWORK_H_
#define GORILA_EXPORT_GAME_NETWORK_H_

#include <span>

#include "gorila/agent/value_form.h"
#include "gorila/network/game_heads.h"

namespace gorila {

// TakeGame, with one difference: dueling heads take the mean of the game's own advantages from
// each, others, who have no mask, that of all. The value head's means (weights without noise) make
// up for it, so that both get the same values. `form` is that of `spec`. Pure; thread-safe.
GameNetwork NetworkOfGame(const NetworkSpec& spec, const ValueForm& form,
                          std::span<const float> parameters, int game);

}  // namespace gorila

#endif  // GORILA_EXPORT_GAME_NETWORK_H_
