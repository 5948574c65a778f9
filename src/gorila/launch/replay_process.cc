#include "gorila/launch/replay_process.h"

#include <memory>
#include <optional>
#include <utility>

#include "gorila/config/resolve.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/replay/remote/replay_snapshots.h"
#include "gorila/run/agent_parts.h"

namespace gorila {
namespace {

// A sample that waits for the rate limiter holds one; half of them are kept for everything else.
constexpr int kReplayWorkers = 64;

class ReplayProcess {
 public:
  ReplayProcess(const Config& config, const ServingOptions& options, const RoleHooks& hooks)
      : config_(config), options_(options), hooks_(hooks) {}

  Status Run() {
    GORILA_RETURN_IF_ERROR(Restore());
    GORILA_RETURN_IF_ERROR(Serve());
    const Status status = Watch();
    lock_->MarkEnding();
    shard_->Close();
    server_.Stop();
    GORILA_RETURN_IF_ERROR(status);
    if (config_.checkpoint.replay) GORILA_RETURN_IF_ERROR(snapshots_->Write(*shard_));
    hooks_.Say(fmt::format("stopped with {} time steps", shard_->GetStatus().size.rows));
    return OkStatus();
  }

 private:
  Status Restore() {
    GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
    layout_ = MakeParameterLayout(network).Fingerprint();
    shard_options_ = {.replay = ResolveReplayOptions(config_),
                      .observation = network.input,
                      .num_actions = network.num_actions,
                      .max_waiting_samples = kReplayWorkers / 2};
    GORILA_RETURN_IF_ERROR(
        CheckReplayBytes(config_, ReplayShard::ExpectedBytes(shard_options_),
                         fmt::format("a shard of {} time steps", config_.replay.options.capacity)));
    GORILA_ASSIGN_OR_RETURN(lock_, LockState(options_, hooks_));
    GORILA_ASSIGN_OR_RETURN(ReplaySnapshots snapshots,
                            ReplaySnapshots::Open(options_.state_folder, layout_));
    snapshots_ = std::make_unique<ReplaySnapshots>(std::move(snapshots));
    shard_options_.generation = snapshots_->generation();
    GORILA_RETURN_IF_ERROR(MakeShard());
    const StatusOr<bool> restored = snapshots_->Restore(*shard_);
    for (const std::string& warning : snapshots_->warnings()) hooks_.Say(warning);
    if (!absl::IsDataLoss(restored.status())) return restored.status();
    // An empty memory fills again while the run continues.
    hooks_.Say(fmt::format("starts empty: {}", std::string(restored.status().message())));
    snapshots_->StartAnew();
    return MakeShard();
  }

  Status MakeShard() {
    shard_.reset();  // two would not fit into the memory
    // A shard that starts empty after a restart must not repeat its earlier draws.
    const auto stream = static_cast<std::uint64_t>(options_.index);
    const auto generation = static_cast<std::uint64_t>(shard_options_.generation);
    RandomStream own = RandomStream::Derive(config_.run.seed, "replay shard", stream);
    GORILA_ASSIGN_OR_RETURN(
        shard_, ReplayShard::Make(shard_options_,
                                  RandomStream::Derive(own.NextBits(), "generation", generation)));
    return OkStatus();
  }

  Status Serve() {
    service_ = std::make_unique<ReplayService>(*shard_, options_.index);
    GORILA_RETURN_IF_ERROR(server_.Start(
        options_, layout_, kReplayWorkers,
        [this](const RoleServer::Lookup& server) { return service_->Methods(server); }));
    shown_.emplace(hooks_.board, [this] { return service_->OwnStatus(server_.server()); });
    hooks_.Say(fmt::format("replay shard {} listens on {}, generation {}, {} of {} rows, {} bytes",
                           options_.index, server_.address(), snapshots_->generation(),
                           shard_->GetStatus().size.rows, config_.replay.options.capacity,
                           ReplayShard::ExpectedBytes(shard_options_)));
    return OkStatus();
  }

  // Blocks until a stop is requested.
  Status Watch() {
    return TakeSnapshotsUntilStopped(
        {.every_seconds = config_.checkpoint.replay ? config_.checkpoint.every_seconds : 0,
         .check =
             [this] {
               lock_->TryAgain();
               return snapshots_->CheckNotReplaced();
             },
         .take = [this] { return snapshots_->Write(*shard_); }},
        hooks_);
  }

  const Config& config_;
  const ServingOptions& options_;
  const RoleHooks& hooks_;
  std::unique_ptr<StateLock> lock_;  // until all else is gone
  std::uint64_t layout_ = 0;
  ReplayShardOptions shard_options_;
  std::unique_ptr<ReplaySnapshots> snapshots_;
  std::unique_ptr<ReplayShard> shard_;
  std::unique_ptr<ReplayService> service_;
  RoleServer server_;
  std::optional<ShownStatus> shown_;  // looks at the service and its server
};

}  // namespace

Status RunReplayProcess(const Config& config, const ServingOptions& options,
                        const RoleHooks& hooks) {
  if (options.index < 0) {
    return InvalidArgument("--replay-index is {}; expected 0 or more", options.index);
  }
  // Checked before a generation is taken in vain.
  GORILA_RETURN_IF_ERROR(
      rpc::CheckExposure(options.listen, options.credentials.tls.has_value(), options.insecure));
  return ReplayProcess(config, options, hooks).Run();
}

}  // namespace gorila
