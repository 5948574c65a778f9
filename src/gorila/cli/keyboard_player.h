// A person who plays in `gorila play`.
#ifndef GORILA_CLI_KEYBOARD_PLAYER_H_
#define GORILA_CLI_KEYBOARD_PLAYER_H_

#include <memory>

#include "gorila/cli/play_controls.h"
#include "gorila/env/environment.h"
#include "gorila/evaluation/player.h"

namespace gorila::cli {

// Arrows and space, as pressed during the last wait of `controls`, which must outlive the player.
// Without a key it takes the action that does nothing, and in a game without such an action the one
// before.
std::unique_ptr<Player> MakeKeyboardPlayer(const EnvironmentSpec& environment,
                                           const PlayControls& controls);

}  // namespace gorila::cli

#endif  // GORILA_CLI_KEYBOARD_PLAYER_H_
