// Settings of an actor.
#ifndef GORILA_ACTOR_ACTOR_OPTIONS_H_
#define GORILA_ACTOR_ACTOR_OPTIONS_H_

#include "gorila/actor/exploration.h"

namespace gorila {

struct ActorOptions {
  ExplorationOptions exploration;
  bool send_values = false;  // puts the policy's values of each row into replay
  int refresh_every = 1;     // pulls parameters before every so many steps (1 = the paper's)
};

}  // namespace gorila

#endif  // GORILA_ACTOR_ACTOR_OPTIONS_H_
