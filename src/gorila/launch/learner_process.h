// One learner as a process: samples replay shards, pushes gradients to the parameter server.
#ifndef GORILA_LAUNCH_LEARNER_PROCESS_H_
#define GORILA_LAUNCH_LEARNER_PROCESS_H_

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/remote_parts.h"

namespace gorila {

struct LearnerProcessOptions {
  int index = 0;  // among all learners; for status alone
  RemoteParts parts;
};

// Learns until the run has config.run.frames frames and, with replay.insert_lead, the updates that
// they pay for. A replay shard's rate limiter holds it where
// it is faster than the actors. Cancelled when stop was requested before. Blocks.
Status RunLearnerProcess(const Config& config, const LearnerProcessOptions& options,
                         const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_LAUNCH_LEARNER_PROCESS_H_
