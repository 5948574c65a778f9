// One bundle as a process: actor, local replay and learner around parameter shards in other
// processes.
#ifndef GORILA_LAUNCH_BUNDLE_PROCESS_H_
#define GORILA_LAUNCH_BUNDLE_PROCESS_H_

#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/role_options.h"
#include "gorila/rpc/endpoint.h"

namespace gorila {

struct BundleProcessOptions {
  int index = 0;                                 // of config.run.bundles
  std::vector<rpc::Endpoint> parameter_servers;  // one a shard, in order
  std::vector<rpc::Endpoint> members = {};       // RemoteParts::members
  RoleCredentials credentials;
  rpc::RetryPolicy retry = {};  // how long an absent shard is waited for
};

// Trains until the run has config.run.frames frames. Waits for shards that are down. Cancelled when
// a stop was requested first, Unavailable when a shard was down for too long. Blocks.
Status RunBundleProcess(const Config& config, const BundleProcessOptions& options,
                        const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_LAUNCH_BUNDLE_PROCESS_H_
