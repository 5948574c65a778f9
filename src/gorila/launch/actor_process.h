// One actor as a process: acts with parameters of the parameter server, inserts into replay shards.
#ifndef GORILA_LAUNCH_ACTOR_PROCESS_H_
#define GORILA_LAUNCH_ACTOR_PROCESS_H_

#include "gorila/actor/actor.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/remote_parts.h"

namespace gorila {

struct ActorProcessOptions {
  int index = 0;  // among all actors
  int actors = 1;
  RemoteParts parts;
};

// Among all that explore: bundles first, then actors.
ActorPlace PlaceOfActor(const Config& config, int index, int actors);

// Acts until the run has config.run.frames frames. Waits for parameter shards that are down, and
// for replay shards only when all are down. Cancelled when a stop was requested first. Blocks.
Status RunActorProcess(const Config& config, const ActorProcessOptions& options,
                       const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_LAUNCH_ACTOR_PROCESS_H_
