// One parameter shard as a process: restores, serves, takes snapshots, ends.
#ifndef GORILA_RUNTIME_DISTRIBUTED_SHARD_PROCESS_H_
#define GORILA_RUNTIME_DISTRIBUTED_SHARD_PROCESS_H_

#include "gorila/base/status.h"
#include "gorila/runtime/config.h"
#include "gorila/runtime/distributed/serving.h"

namespace gorila {

// Serves the shard of that index, of config.parameter_server.shards, until stop is requested; then
// the last snapshot is taken. Snapshots are taken every config.checkpoint.every_seconds, while it
// serves. FailedPrecondition when a newer generation has replaced this process. Blocks.
Status RunShardProcess(const Config& config, const ServingOptions& options, const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_RUNTIME_DISTRIBUTED_SHARD_PROCESS_H_
