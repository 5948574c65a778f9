// Settings of an actor.
#ifndef GORILA_ACTOR_ACTOR_OPTIONS_H_
#define GORILA_ACTOR_ACTOR_OPTIONS_H_

#include "gorila/actor/exploration.h"

namespace gorila {

struct ActorOptions {
  ExplorationOptions exploration;
  bool send_values = false;  // puts the policy's values of each row into replay
  // Whether replay gets each game's rewards over the deviation of its returns
  // (reward_normaliser.h), which are discounted by `discount`.
  bool normalise_rewards = false;
  double discount = 0.99;
  int refresh_every = 1;  // pulls parameters before every so many steps (1 = the paper's)
};

}  // namespace gorila

#endif  // GORILA_ACTOR_ACTOR_OPTIONS_H_
