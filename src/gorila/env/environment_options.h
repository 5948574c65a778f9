// What MakeEnvironment takes beside the name.
#ifndef GORILA_ENV_ENVIRONMENT_OPTIONS_H_
#define GORILA_ENV_ENVIRONMENT_OPTIONS_H_

#include <string>
#include <vector>

#include "gorila/env/atari/atari_options.h"
#include "gorila/env/external/external_options.h"

namespace gorila {

// Options of every environment; registry.h's table says which ones an environment uses.
struct EnvironmentOptions {
  double sticky_actions = 0.1;     // probability in [0,1] that the previous action is repeated
  bool difficulty_ramping = true;  // MinAtar: the game gets faster
  bool minimal_actions = false;    // only the actions the game has a use for (published: all six)
  int max_episode_steps = 0;       // cut off after this many steps (truncation); 0 = the game's own
  AtariOptions atari = {};
  ExternalOptions external = {};  // of environments that are not ours
  // All games of a run with several: the environment is one of them and looks as they do together
  // (game_union.h). Empty: it is on its own.
  std::vector<std::string> games = {};
  bool game_input = false;  // with several games: whether observations say which one it is

  bool operator==(const EnvironmentOptions&) const = default;
};

}  // namespace gorila

#endif  // GORILA_ENV_ENVIRONMENT_OPTIONS_H_
