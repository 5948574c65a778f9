// One replay shard as a process: restores, serves, takes snapshots, ends.
#ifndef GORILA_LAUNCH_REPLAY_PROCESS_H_
#define GORILA_LAUNCH_REPLAY_PROCESS_H_

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/serving.h"

namespace gorila {

// Serves replay.capacity rows until stop is requested; then the last snapshot is taken. Snapshots
// are taken every config.checkpoint.every_seconds, while it serves, unless checkpoint.replay is
// false. InvalidArgument when the rows do not fit into replay.byte_budget. Blocks.
Status RunReplayProcess(const Config& config, const ServingOptions& options,
                        const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_LAUNCH_REPLAY_PROCESS_H_
