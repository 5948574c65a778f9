// One replay shard as a process: restores, serves, takes snapshots, ends.
#ifndef GORILA_RUNTIME_DISTRIBUTED_REPLAY_PROCESS_H_
#define GORILA_RUNTIME_DISTRIBUTED_REPLAY_PROCESS_H_

#include <filesystem>

#include "gorila/base/status.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/runtime/config.h"
#include "gorila/runtime/distributed/role_options.h"

namespace gorila {

struct ReplayProcessOptions {
  int index = 0;  // among the run's replay shards; for status alone
  rpc::Endpoint listen;
  bool insecure = false;               // off loopback without TLS
  std::filesystem::path state_folder;  // snapshots and generation; made when it is missing
  // Where it listens is written here, as one line, once it serves. Empty: nowhere.
  std::filesystem::path address_file;
  RoleCredentials credentials;
};

// Serves replay.capacity rows until stop is requested; then the last snapshot is taken. Snapshots
// are taken every config.checkpoint.every_seconds, while it serves, unless checkpoint.replay is
// false. InvalidArgument when the rows do not fit into replay.byte_budget. Blocks.
Status RunReplayProcess(const Config& config, const ReplayProcessOptions& options,
                        const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_RUNTIME_DISTRIBUTED_REPLAY_PROCESS_H_
