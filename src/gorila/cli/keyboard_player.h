// A person who plays in `gorila play`.
#ifndef GORILA_CLI_KEYBOARD_PLAYER_H_
#define GORILA_CLI_KEYBOARD_PLAYER_H_

#include <memory>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/evaluation/player.h"

namespace gorila::cli {

// Arrows and space; q ends the game. Waits `delay_milliseconds` for a key each step; without one it
// takes the action that does nothing, and in a game without such an action the one before.
StatusOr<std::unique_ptr<Player>> MakeKeyboardPlayer(const EnvironmentSpec& environment,
                                                     int delay_milliseconds);

}  // namespace gorila::cli

#endif  // GORILA_CLI_KEYBOARD_PLAYER_H_
