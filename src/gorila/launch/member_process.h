// A member of a group that computes a bundle's or learner's network, as a process.
#ifndef GORILA_LAUNCH_MEMBER_PROCESS_H_
#define GORILA_LAUNCH_MEMBER_PROCESS_H_

#include <vector>

#include "gorila/config/config.h"
#include "gorila/launch/role_options.h"
#include "gorila/launch/serving.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/retry.h"

namespace gorila {

struct MemberProcessOptions {
  // serving.index: among the members of all groups (RemoteParts::members). It has no state folder.
  ServingOptions serving;
  std::vector<rpc::Endpoint> parameter_servers;  // one a shard, in order
  rpc::RetryPolicy retry = {};                   // how long an absent shard is waited for
};

// Serves its leader until stop is requested. Keeps no state: it can be killed and restarted at any
// time. Waits for shards that are down. InvalidArgument names the key or option at fault. Blocks.
Status RunMemberProcess(const Config& config, const MemberProcessOptions& options,
                        const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_LAUNCH_MEMBER_PROCESS_H_
