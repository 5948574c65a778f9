#include "gorila/simulation/model_bundle.h"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "gorila/base/runtime.h"
#include "gorila/config/resolve.h"
#include "gorila/launch/progress_reporter.h"
#include "gorila/launch/remote_parts.h"

namespace gorila::simulation {
namespace {

// One place in each shard's slice; which one depends on the client.
std::vector<std::size_t> PlacesOf(const std::vector<Slice>& partition, int index) {
  std::vector<std::size_t> places;
  for (const Slice& slice : partition) {
    places.push_back(slice.begin + static_cast<std::size_t>(index) % slice.size());
  }
  return places;
}

class ModelBundle {
 public:
  ModelBundle(ParameterStore& store, FrameClock& clock, const ModelBundleWatch& watch,
              const std::vector<Slice>& partition, int index)
      : store_(store),
        clock_(clock),
        watch_(watch),
        parameters_(store.size()),
        gradient_(store.size()),
        versions_(static_cast<std::size_t>(store.num_shards()), -1) {
    for (const std::size_t place : PlacesOf(partition, index)) gradient_[place] = 1;
  }

  Status Iterate() {
    const ShardVersions before = versions_;
    GORILA_RETURN_IF_ERROR(store_.Pull(parameters_, versions_).status());
    CheckVersions(before);
    SleepFor(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(watch_.compute_seconds())));
    watch_.made(kFramesPerUpdate);
    clock_.Add(kFramesPerUpdate);
    GORILA_RETURN_IF_ERROR(store_.Push(gradient_, versions_).status());
    watch_.updated(++updates_);
    return OkStatus();
  }

 private:
  // The generation is the upper part of what a remote store calls a version.
  void CheckVersions(const ShardVersions& before) const {
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      if (versions_[i] >= before[i]) continue;
      watch_.violated(fmt::format("a client of shard {} was given version {:x} after {:x}", i,
                                  versions_[i], before[i]));
    }
  }

  ParameterStore& store_;
  FrameClock& clock_;
  const ModelBundleWatch& watch_;
  std::vector<float> parameters_, gradient_;
  ShardVersions versions_;
  std::int64_t updates_ = 0;
};

}  // namespace

Status RunModelBundle(const Config& config, const BundleProcessOptions& options,
                      const RoleHooks& hooks, const ModelBundleWatch& watch) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  const RemoteParts parts{.parameter_servers = options.parameter_servers,
                          .replays = {},
                          .credentials = options.credentials,
                          .retry = options.retry};
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<RemoteParameterStore> store,
                          ConnectStore(parts, config, network, hooks));
  GORILA_ASSIGN_OR_RETURN(const std::vector<Slice> partition,
                          MakePartition(store->size(), store->num_shards()));
  FrameClock clock;
  WorkerStore worker_store(config, *store);
  ModelBundle bundle(worker_store.store(), clock, watch, partition, options.index);
  ProgressReporter reporter(*store, clock, hooks, [&] {
    ProcessReport report;
    report.status.set_role("bundle");
    report.status.set_index(options.index);
    (*report.status.mutable_counters())["frames"] = clock.own();
    worker_store.AddStatus(report.status);
    return report;
  });
  GORILA_RETURN_IF_ERROR(reporter.Start(options.retry));
  while (!reporter.HasTold(config.run.frames) && !hooks.stopped()) {
    if (clock.frames() >= config.run.frames) continue;  // not told yet
    const Status status = bundle.Iterate();
    if (absl::IsCancelled(status) && hooks.stopped()) break;
    GORILA_RETURN_IF_ERROR(status);
  }
  GORILA_RETURN_IF_ERROR(SettleUnlessStopped(worker_store, hooks));
  return reporter.Finish(config.run.frames);
}

}  // namespace gorila::simulation
