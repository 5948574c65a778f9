#include "gorila/launch/bundle_process.h"

#include <chrono>
#include <memory>
#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/runtime.h"
#include "gorila/config/resolve.h"
#include "gorila/launch/progress_reporter.h"
#include "gorila/launch/remote_parts.h"
#include "gorila/launch/role_status.h"
#include "gorila/run/bundle.h"
#include "gorila/run/cluster.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

// `learning`: since the process started.
v1::RoleStatus MakeStatus(int index, double seconds, const FrameClock& clock,
                          const BundleStatus& bundle, const LearnerStatistics& learning) {
  v1::RoleStatus status;
  status.set_role("bundle");
  status.set_index(index);
  status.set_seconds(seconds);
  auto& counters = *status.mutable_counters();
  counters["frames"] = clock.own();
  counters["replay_rows"] = bundle.replay.rows;
  counters["replay_capacity"] = bundle.replay.capacity;
  (*status.mutable_gauges())["epsilon"] = bundle.epsilon;
  AddLearnerCounters(bundle.learner, status);
  AddLearning(learning, status);
  AddWork(bundle.work, status);
  return status;
}

}  // namespace

Status RunBundleProcess(const Config& config, const BundleProcessOptions& options,
                        const RoleHooks& hooks) {
  if (options.index < 0 || options.index >= config.run.bundles) {
    return InvalidArgument("--bundle-index is {}; expected 0..{} of {} bundles", options.index,
                           config.run.bundles - 1, config.run.bundles);
  }
  FlushDenormalsInThisThread();
  const auto started = SteadyNow();
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  const RemoteParts parts{.parameter_servers = options.parameter_servers,
                          .replays = {},
                          .members = options.members,
                          .credentials = options.credentials,
                          .retry = options.retry};
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<RemoteParameterStore> store,
                          ConnectStore(parts, config, network, hooks));
  FrameClock clock;
  WorkerStore worker_store(config, *store);
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<NetworkGroup> group,
                          ConnectGroup(parts, config, network, options.index, *store, hooks));
  const NetworkGroup* const shown_group = group.get();
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Bundle> bundle,
      Bundle::Make(WithStreamsOfThisLife(config, Role::kBundle, *store), network, options.index,
                   worker_store.store(), clock, std::move(group)));
  LearnerStatistics learning;  // of the reporter's thread
  ProgressReporter reporter(*store, clock, hooks, [&] {
    BundleStatus seen = bundle->TakeStatus();
    bundle->EndRecord();
    learning.value_max = LearnerStatistics().value_max;
    learning += seen.learning;
    const double seconds = std::chrono::duration<double>(SteadyNow() - started).count();
    ProcessReport report;
    report.status = MakeStatus(options.index, seconds, clock, seen, learning);
    worker_store.AddStatus(report.status);
    AddGroup(shown_group, report.status);
    report.episodes = std::move(seen.episodes);
    report.game_frames = std::move(seen.game_frames);
    return report;
  });
  GORILA_RETURN_IF_ERROR(reporter.Start(options.retry));
  while (!reporter.HasTold(config.run.frames) && !hooks.stopped()) {
    if (clock.frames() >= config.run.frames) continue;  // not told yet
    const bool waits = bundle->WaitsForWarmStart();
    if (waits) SleepFor(kRemoteWarmStartLook);
    const Status status = waits ? bundle->RefreshReplicas() : bundle->Iterate();
    if (absl::IsCancelled(status) && hooks.stopped()) break;
    GORILA_RETURN_IF_ERROR(status);
  }
  GORILA_RETURN_IF_ERROR(SettleUnlessStopped(worker_store, hooks));
  return reporter.Finish(config.run.frames);
}

}  // namespace gorila
