#include "gorila/launch/remote_parts.h"

#include <set>
#include <span>
#include <string>
#include <utility>

#include "gorila/config/resolve.h"
#include "gorila/launch/role_status.h"
#include "gorila/parameter_server/remote/member_service.h"
#include "gorila/parameter_server/remote/remote_member.h"
#include "gorila/parameter_server/remote/staged_gradients.h"
#include "gorila/replay/remote/remote_endpoint.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/rpc/system_random.h"
#include "gorila/run/agent_parts.h"

namespace gorila {
namespace {

constexpr std::chrono::milliseconds kFramesTimeout{2'000};

}  // namespace

std::uint64_t DrawProcessId() { return rpc::DrawNumber(); }

StatusOr<std::unique_ptr<RemoteParameterStore>> ConnectStore(const RemoteParts& parts,
                                                             const Config& config,
                                                             const NetworkSpec& network,
                                                             const RoleHooks& hooks) {
  const ParameterLayout layout = MakeParameterLayout(network);
  return RemoteParameterStore::Connect({.endpoints = parts.parameter_servers,
                                        .tls = parts.credentials.tls,
                                        .token = parts.credentials.token,
                                        .layout = layout.Fingerprint(),
                                        .parameters = layout.size,
                                        .client = DrawProcessId(),
                                        .encoding = config.parameter_server.encoding,
                                        .topk_fraction = config.parameter_server.topk_fraction,
                                        .retry = parts.retry,
                                        .shared_memory = config.cluster.shared_memory,
                                        .stop = hooks.stop_requested,
                                        .message = hooks.message});
}

namespace {

int Leaders(const Config& config) { return config.run.bundles + config.cluster.learners; }

Status CheckMemberAddresses(std::span<const rpc::Endpoint> members, const Config& config,
                            int leader) {
  const int expected = RowOf(Role::kMember).count(config);
  if (std::ssize(members) != expected) {
    return InvalidArgument(
        "--members has {} addresses; expected {}: learner.members - 1, {}, for each bundle and "
        "learner",
        members.size(), expected, config.learner.members - 1);
  }
  if (leader >= Leaders(config)) {
    return InvalidArgument(
        "this process would lead group {}, but the run has {}: one for each of {} bundles and {} "
        "learners; expected a smaller --bundle-index or --learner-index",
        leader, Leaders(config), config.run.bundles, config.cluster.learners);
  }
  std::set<std::string> seen;
  for (const rpc::Endpoint& endpoint : members) {
    if (!seen.insert(rpc::ToString(endpoint)).second) {
      return InvalidArgument("--members has {} twice; expected an address for each member",
                             rpc::ToString(endpoint));
    }
  }
  return OkStatus();
}

}  // namespace

Status CheckGroups(const Config& config) {
  constexpr auto kMost = static_cast<int>(StagedGradients::kMostClients);
  if (config.learner.members == 1 || Leaders(config) <= kMost) return OkStatus();
  return InvalidArgument("learner.members is {} with {} bundles and learners; expected at most {}",
                         config.learner.members, Leaders(config), kMost);
}

StatusOr<std::unique_ptr<NetworkGroup>> ConnectGroup(const RemoteParts& parts, const Config& config,
                                                     const NetworkSpec& network, int leader,
                                                     RemoteParameterStore& store,
                                                     const RoleHooks& hooks) {
  if (config.learner.members == 1 && parts.members.empty()) return std::unique_ptr<NetworkGroup>();
  GORILA_RETURN_IF_ERROR(CheckGroups(config));
  GORILA_RETURN_IF_ERROR(CheckMemberAddresses(parts.members, config, leader));
  const std::uint64_t id = DrawProcessId();
  const int others = config.learner.members - 1;
  std::vector<std::unique_ptr<MemberLink>> links;
  for (int m = 0; m < others; ++m) {
    const rpc::Endpoint& endpoint = parts.members[static_cast<std::size_t>(leader * others + m)];
    links.push_back(std::make_unique<RemoteMember>(RemoteMemberOptions{
        .channel = {.endpoint = endpoint,
                    .role = kMemberRole,
                    .tls = parts.credentials.tls,
                    .identity = {.token = parts.credentials.token,
                                 .layout = MakeParameterLayout(network).Fingerprint()},
                    .shared_memory = config.cluster.shared_memory},
        .index = m + 1,
        .members = config.learner.members,
        .leader = id,
        .retry = parts.retry,
        .stop = hooks.stop_requested,
        .message = hooks.message}));
  }
  return NetworkGroup::Over(GroupOptionsOf(config, id), network, store, store, std::move(links));
}

Status SettleUnlessStopped(WorkerStore& worker_store, const RoleHooks& hooks) {
  const Status status = worker_store.Settle();
  return absl::IsCancelled(status) && hooks.stopped() ? OkStatus() : status;
}

std::uint64_t SeedOfLife(std::uint64_t run_seed, Role role, std::int64_t updates,
                         std::int64_t frames) {
  const auto derive = [](std::uint64_t seed, std::string_view name, std::int64_t stream) {
    return RandomStream::Derive(seed, name, static_cast<std::uint64_t>(stream)).NextBits();
  };
  std::uint64_t seed = run_seed;
  if (role != Role::kBundle) seed = derive(seed, RowOf(role).name, 0);
  if (updates > 0) seed = derive(seed, "life", updates);
  if (frames > 0) seed = derive(seed, "life at frame", frames);
  return seed;
}

Config WithStreamsOfThisLife(const Config& config, Role role, RemoteParameterStore& store) {
  std::int64_t frames = 0;
  // A bundle's earlier life before the first update left nothing behind: its rows were its own.
  if (role != Role::kBundle) {
    const auto status = store.GetStatus(0, kFramesTimeout);
    // Without an answer any number that no other life has will do.
    frames = status.ok() ? CounterOf(status->roles(0), "frames")
                         : static_cast<std::int64_t>(DrawProcessId() >> 1);
  }
  Config own = config;
  own.run.seed = SeedOfLife(config.run.seed, role, store.UpdateCount(), frames);
  return own;
}

std::unique_ptr<ShardedReplay> ConnectReplay(const RemoteParts& parts, const Config& config,
                                             const NetworkSpec& network, int actor, int streams,
                                             const RoleHooks& hooks, const rpc::StopPredicate& stop,
                                             const std::function<bool()>& over) {
  const LocalReplayOptions options = ResolveReplayOptions(config);
  const int unroll = options.transition.unroll;
  std::vector<std::unique_ptr<ReplayEndpoint>> shards;
  for (const rpc::Endpoint& endpoint : parts.replays) {
    shards.push_back(std::make_unique<RemoteReplayEndpoint>(
        rpc::ChannelOptions{.endpoint = endpoint,
                            .role = kReplayRole,
                            .tls = parts.credentials.tls,
                            .identity = {.token = parts.credentials.token,
                                         .layout = MakeParameterLayout(network).Fingerprint()},
                            .shared_memory = config.cluster.shared_memory},
        network.input, stop, unroll, options.games));
  }
  const std::uint64_t id = DrawProcessId();
  return std::make_unique<ShardedReplay>(
      ShardedReplayOptions{.actor = actor,
                           .life = id,
                           .streams = streams,
                           .games = options.games,
                           .frame_bytes = network.input.frame_bytes(),
                           .values = config.replay.options.selector.initial_priorities,
                           .unroll = unroll,
                           .prioritized = config.replay.options.selector.name == "prioritized",
                           .draws_once = DrawsOnce(config.replay.options.selector),
                           .patience = parts.retry.patience,
                           .stop = stop,
                           .over = over,
                           .message = hooks.message},
      std::move(shards), RandomStream(id));
}

void WorkerStore::AddStatus(v1::RoleStatus& status) const {
  const RemoteStoreTraffic traffic = remote_.traffic();
  auto& counters = *status.mutable_counters();
  counters["pushes"] = traffic.pushes;
  counters["bytes_pushed"] = traffic.bytes_pushed;
  counters["bytes_pulled"] = traffic.bytes_pulled;
  counters["retries"] = traffic.retries;
  (*status.mutable_gauges())["parameter_server_seconds"] = seconds_blocked();
}

void AddReplayStatus(const ShardedReplay& replay, v1::RoleStatus& status) {
  const ShardedReplayCounters replay_counters = replay.counters();
  auto& counters = *status.mutable_counters();
  counters["rows"] = replay_counters.rows;
  counters["rows_accepted"] = replay_counters.accepted;
  counters["rows_lost"] = replay_counters.lost;
  counters["samples"] = replay_counters.samples;
  counters["replay_failures"] = replay_counters.failures;
  counters["insert_waits"] = replay_counters.insert_waits;
  counters["sample_waits"] = replay_counters.sample_waits;
  counters["waiting_inserts"] = replay.insert_held() ? 1 : 0;
  status.set_waiting(replay.waiting());
}

}  // namespace gorila
