// One parameter shard as a process: restores, serves, takes snapshots, ends.
#ifndef GORILA_LAUNCH_SHARD_PROCESS_H_
#define GORILA_LAUNCH_SHARD_PROCESS_H_

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/serving.h"

namespace gorila {

// Serves the shard of that index, of config.parameter_server.shards, until stop is requested; then
// the last snapshot is taken. Snapshots are taken every config.checkpoint.every_seconds, while it
// serves. FailedPrecondition when a newer generation has replaced this process. Blocks.
Status RunShardProcess(const Config& config, const ServingOptions& options, const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_LAUNCH_SHARD_PROCESS_H_
