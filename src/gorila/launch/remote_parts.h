// What actors and learners as processes connect to.
#ifndef GORILA_LAUNCH_REMOTE_PARTS_H_
#define GORILA_LAUNCH_REMOTE_PARTS_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gorila/config/config.h"
#include "gorila/launch/role_options.h"
#include "gorila/launch/roles.h"
#include "gorila/parameter_server/network_group.h"
#include "gorila/parameter_server/overlapped_store.h"
#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/replay/sharded_replay.h"

namespace gorila {

// A number that no other process has, drawn at random.
std::uint64_t DrawProcessId();

struct RemoteParts {
  std::vector<rpc::Endpoint> parameter_servers;  // one a shard, in order
  std::vector<rpc::Endpoint> replays;            // one a shard, the same order in every process
  // With learner.members above 1: of all groups, those of the bundles first, then of the learners.
  std::vector<rpc::Endpoint> members = {};
  RoleCredentials credentials;
  rpc::RetryPolicy retry = {};  // how long an absent shard is waited for
};

// Waits until every parameter shard answers.
StatusOr<std::unique_ptr<RemoteParameterStore>> ConnectStore(const RemoteParts& parts,
                                                             const Config& config,
                                                             const NetworkSpec& network,
                                                             const RoleHooks& hooks);

// The group that bundle or learner `leader` (learners come after all bundles) computes its network
// with, over `store`; null with learner.members = 1. InvalidArgument unless parts.members has as
// many as the run's groups have. Does not connect yet.
StatusOr<std::unique_ptr<NetworkGroup>> ConnectGroup(const RemoteParts& parts, const Config& config,
                                                     const NetworkSpec& network, int leader,
                                                     RemoteParameterStore& store,
                                                     const RoleHooks& hooks);

// InvalidArgument where the run has more groups of members than a shard stages gradients of.
Status CheckGroups(const Config& config);

// What the actor and learner of a process push to and pull from: the shards, or with
// parameter_server.overlap a store that does it while they compute. A group's members compute with
// what they pulled, so theirs never does.
class WorkerStore {
 public:
  // `remote` must outlive this.
  WorkerStore(const Config& config, RemoteParameterStore& remote) : remote_(remote) {
    if (config.parameter_server.overlap && config.learner.members == 1) {
      overlapped_.emplace(remote,
                          std::max(1, config.learner.fetch_every / config.learner.push_every),
                          remote.exchange());
    }
  }

  ParameterStore& store() {
    if (overlapped_.has_value()) return *overlapped_;
    return remote_;
  }

  // That pushes and pulls have kept their callers waiting, over all threads.
  double seconds_blocked() const {
    return overlapped_.has_value() ? overlapped_->seconds_blocked() : remote_.traffic().seconds;
  }

  // Adds what a process reports of it.
  void AddStatus(v1::RoleStatus& status) const;

  // Blocks until every gradient is decided on. Errors as the store's.
  Status Settle() { return overlapped_.has_value() ? overlapped_->Settle().status() : OkStatus(); }

 private:
  RemoteParameterStore& remote_;
  std::optional<OverlappedParameterStore> overlapped_;
};

// worker_store.Settle(), but OK when it was interrupted because the process is stopping.
Status SettleUnlessStopped(WorkerStore& worker_store, const RoleHooks& hooks);

// The seed of a bundle's or actor's random streams. An actor's differ from those of the bundle with
// its index. A process that joins a run with updates or frames gets new streams, because a
// restarted process must not repeat its earlier life.
std::uint64_t SeedOfLife(std::uint64_t run_seed, Role role, std::int64_t updates,
                         std::int64_t frames);
// `config` with that seed. `store` is connected.
Config WithStreamsOfThisLife(const Config& config, Role role, RemoteParameterStore& store);

// When a run has its frames, its learners make the updates that the last of them pay for, so that
// replay.updates_per_step holds, but no longer than this.
inline constexpr std::chrono::milliseconds kOwedUpdatesDeadline{120'000};
// In which actors hear that the run has its frames and send their last rows.
inline constexpr std::chrono::milliseconds kLastRowsDelay{1'000};

// `actor`: of inserts; `streams` 0 for a learner. `stop` ends its waits; `over`: the run has its
// frames.
std::unique_ptr<ShardedReplay> ConnectReplay(const RemoteParts& parts, const Config& config,
                                             const NetworkSpec& network, int actor, int streams,
                                             const RoleHooks& hooks, const rpc::StopPredicate& stop,
                                             const std::function<bool()>& over);

// Adds what a process reports of it.
void AddReplayStatus(const ShardedReplay& replay, v1::RoleStatus& status);

}  // namespace gorila

#endif  // GORILA_LAUNCH_REMOTE_PARTS_H_
