// Where several games share a network: the actions that a game has.
#ifndef GORILA_AGENT_ACTION_MASK_H_
#define GORILA_AGENT_ACTION_MASK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gorila/base/random.h"
#include "gorila/network/network_spec.h"

namespace gorila {

// Of each action 0 or 1; empty: all are there.
using AllowedActions = std::span<const std::uint8_t>;

// `of_games`: NetworkSpec::game_actions.
inline AllowedActions ActionsOfGame(std::span<const ActionMask> of_games, int game) {
  if (of_games.empty()) return {};
  return of_games[static_cast<std::size_t>(game)];
}

inline bool IsAllowed(AllowedActions allowed, std::size_t action) {
  return allowed.empty() || allowed[action] != 0;
}

inline int NumAllowed(AllowedActions allowed, int num_actions) {
  if (allowed.empty()) return num_actions;
  return static_cast<int>(std::count(allowed.begin(), allowed.end(), 1));
}

// Of a batch of states the actions that each has.
struct StateActions {
  std::span<const ActionMask> of_games = {};  // NetworkSpec::game_actions
  std::span<const std::int32_t> games = {};   // of each state; may be empty where of_games is

  AllowedActions operator[](std::size_t state) const {
    return of_games.empty() ? AllowedActions() : ActionsOfGame(of_games, games[state]);
  }
};

// Each of them alike.
inline int DrawAllowed(AllowedActions allowed, int num_actions, RandomStream& random) {
  int left = random.Integer(0, NumAllowed(allowed, num_actions));
  if (allowed.empty()) return left;
  int action = 0;
  while (allowed[static_cast<std::size_t>(action)] == 0 || left-- > 0) ++action;
  return action;
}

// Puts `value` in place of what stands for the others.
inline void FillForbidden(AllowedActions allowed, float value, std::span<float> of_actions) {
  for (std::size_t a = 0; a < allowed.size(); ++a) {
    if (allowed[a] == 0) of_actions[a] = value;
  }
}

}  // namespace gorila

#endif  // GORILA_AGENT_ACTION_MASK_H_
