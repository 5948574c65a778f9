#include "gorila/launch/shard_process.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gorila/base/runtime.h"
#include "gorila/config/resolve.h"
#include "gorila/launch/run_progress.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/parameter_server/remote/shard_snapshots.h"
#include "gorila/run/initial_network.h"

namespace gorila {
namespace {

constexpr int kShardWorkers = 8;
constexpr std::chrono::milliseconds kEndRetry{1'000};
constexpr std::chrono::milliseconds kEndPatience{30'000};

class ShardProcess {
 public:
  ShardProcess(const Config& config, const ServingOptions& options, const RoleHooks& hooks)
      : config_(config), options_(options), hooks_(hooks) {}

  Status Run() {
    GORILA_RETURN_IF_ERROR(Restore());
    GORILA_RETURN_IF_ERROR(Serve());
    const Status status = Watch();
    lock_->MarkEnding();
    server_.Stop();
    GORILA_RETURN_IF_ERROR(status);
    GORILA_RETURN_IF_ERROR(snapshots_->Write(service_->Save()));
    hooks_.Say(fmt::format("stopped at version {}", service_->shard().version()));
    return OkStatus();
  }

 private:
  Status Restore() {
    GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
    const ParameterLayout layout = MakeParameterLayout(network);
    layout_fingerprint_ = layout.Fingerprint();
    GORILA_ASSIGN_OR_RETURN(const std::vector<Slice> partition,
                            MakePartition(layout.size, NumberOfShards(config_)));
    const ShardPlace place{.index = options_.index,
                           .shards = NumberOfShards(config_),
                           .parameters = layout.size,
                           .slice = partition[static_cast<std::size_t>(options_.index)]};
    GORILA_ASSIGN_OR_RETURN(lock_, LockState(options_, hooks_));
    GORILA_ASSIGN_OR_RETURN(
        ShardSnapshots snapshots,
        ShardSnapshots::Open(options_.state_folder, place, layout_fingerprint_));
    snapshots_ = std::make_unique<ShardSnapshots>(std::move(snapshots));
    for (const std::string& warning : snapshots_->warnings()) hooks_.Say(warning);
    const auto state = snapshots_->TakeNewest();
    std::optional<std::vector<float>> initial;
    if (!state.has_value()) {
      GORILA_ASSIGN_OR_RETURN(initial, TakeInitialNetwork(layout));
    }
    if (!initial.has_value()) initial = RunInitialParameters(config_, layout);
    GORILA_RETURN_IF_ERROR(MakeService(place, *initial));
    if (state.has_value()) GORILA_RETURN_IF_ERROR(service_->Restore(*state));
    end_is_safe_ = options_.index != 0 || service_->run_frames() >= config_.run.frames;
    if (!end_is_safe_) service_->HoldEnd(config_.run.frames);
    return OkStatus();
  }

  // Called only without a state: a shard with a snapshot does not read the file.
  StatusOr<std::optional<std::vector<float>>> TakeInitialNetwork(const ParameterLayout& layout) {
    if (!options_.initial.empty()) return ReadInitialNetwork(config_, layout, options_.initial);
    return ComposeInitialNetwork(config_, layout);
  }

  Status MakeService(const ShardPlace& place, std::span<const float> initial) {
    const ShardOptions options = ResolveShardOptions(config_);
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                            MakeOptimizer(options.optimizer, place.slice.size()));
    service_ = std::make_unique<ShardService>(
        place, snapshots_->generation(),
        std::make_unique<ParameterShard>(
            options, initial.subspan(place.slice.begin, place.slice.size()), std::move(optimizer)),
        std::make_unique<RunProgress>());
    return OkStatus();
  }

  Status Serve() {
    GORILA_RETURN_IF_ERROR(server_.Start(
        options_, layout_fingerprint_, kShardWorkers,
        [this](const RoleServer::Lookup& server) { return service_->Methods(server); }));
    shown_.emplace(hooks_.board, [this] { return service_->OwnStatus(server_.server()); });
    hooks_.Say(fmt::format("parameter shard {} of {} listens on {}, generation {}, version {}",
                           options_.index, NumberOfShards(config_), server_.address(),
                           service_->generation(), service_->shard().version()));
    return OkStatus();
  }

  // Blocks until a stop is requested.
  Status Watch() {
    return TakeSnapshotsUntilStopped(
        {.every_seconds = config_.checkpoint.every_seconds,
         .check =
             [this] {
               lock_->TryAgain();
               return snapshots_->CheckNotReplaced();
             },
         .take = [this] { return snapshots_->Write(service_->Save()); },
         .look =
             [this] {
               GORILA_RETURN_IF_ERROR(CheckNotSuperseded());
               return MakeEndSafe();
             }},
        hooks_);
  }

  // A snapshot of the run's end, before anybody is told of it. A disk that fails for long does not
  // hold the run up.
  Status MakeEndSafe() {
    if (end_is_safe_ || service_->run_frames() < config_.run.frames) return OkStatus();
    const auto now = SteadyNow();
    if (now < next_try_) return OkStatus();
    if (!over_since_.has_value()) over_since_ = now;
    Status written = snapshots_->Write(service_->Save());
    if (written.code() == absl::StatusCode::kFailedPrecondition) return written;
    next_try_ = now + kEndRetry;
    if (!written.ok() && now < *over_since_ + kEndPatience) return OkStatus();
    if (!written.ok()) {
      hooks_.Say(fmt::format("the run's last frames are lost if this process is: {}",
                             std::string(written.message())));
    }
    end_is_safe_ = true;
    service_->ReleaseEnd();
    return OkStatus();
  }

  Status CheckNotSuperseded() const {
    if (!service_->superseded()) return OkStatus();
    return absl::FailedPreconditionError(
        fmt::format("a caller knows a newer generation than {}: this process was replaced, or its "
                    "state folder is not the one it had before",
                    service_->generation()));
  }

  const Config& config_;
  const ServingOptions& options_;
  const RoleHooks& hooks_;
  std::unique_ptr<StateLock> lock_;  // until all else is gone
  std::uint64_t layout_fingerprint_ = 0;
  std::unique_ptr<ShardSnapshots> snapshots_;
  std::unique_ptr<ShardService> service_;
  bool end_is_safe_ = false;  // or is not this process's business
  std::optional<SteadyTime> over_since_;
  SteadyTime next_try_{};
  RoleServer server_;
  std::optional<ShownStatus> shown_;  // looks at the service and its server
};

}  // namespace

Status RunShardProcess(const Config& config, const ServingOptions& options,
                       const RoleHooks& hooks) {
  const int shards = NumberOfShards(config);
  if (options.index < 0 || options.index >= shards) {
    return InvalidArgument("--shard is {}; expected 0..{} of {} shards", options.index, shards - 1,
                           shards);
  }
  // Checked before a generation is taken in vain.
  GORILA_RETURN_IF_ERROR(
      rpc::CheckExposure(options.listen, options.credentials.tls.has_value(), options.insecure));
  return ShardProcess(config, options, hooks).Run();
}

}  // namespace gorila
