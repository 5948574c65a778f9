// One parameter shard as a process: restores, serves, takes snapshots, ends.
#ifndef GORILA_RUNTIME_DISTRIBUTED_SHARD_PROCESS_H_
#define GORILA_RUNTIME_DISTRIBUTED_SHARD_PROCESS_H_

#include <filesystem>

#include "gorila/base/status.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/runtime/config.h"
#include "gorila/runtime/distributed/role_options.h"

namespace gorila {

struct ShardProcessOptions {
  int index = 0;  // of config.parameter_server.shards
  rpc::Endpoint listen;
  bool insecure = false;               // off loopback without TLS
  std::filesystem::path state_folder;  // snapshots and generation; made when it is missing
  // Where it listens is written here, as one line, once it serves. Empty: nowhere.
  std::filesystem::path address_file;
  RoleCredentials credentials;
};

// Serves until stop is requested; then the last snapshot is taken. Snapshots are taken every
// config.checkpoint.every_seconds, while it serves. FailedPrecondition when a newer generation has
// replaced this process. Blocks.
Status RunShardProcess(const Config& config, const ShardProcessOptions& options,
                       const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_RUNTIME_DISTRIBUTED_SHARD_PROCESS_H_
