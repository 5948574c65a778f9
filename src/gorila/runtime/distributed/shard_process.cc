#include "gorila/runtime/distributed/shard_process.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/parameter_server/remote/shard_snapshots.h"
#include "gorila/rpc/server.h"
#include "gorila/runtime/cluster.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kGenerationLook{1000};
constexpr std::chrono::milliseconds kGrace{2000};

class ShardProcess {
 public:
  ShardProcess(const Config& config, const ShardProcessOptions& options, const RoleHooks& hooks)
      : config_(config), options_(options), hooks_(hooks) {}

  Status Run() {
    GORILA_RETURN_IF_ERROR(Restore());
    GORILA_RETURN_IF_ERROR(Serve());
    const Status status = Watch();
    server_->Stop(kGrace);
    GORILA_RETURN_IF_ERROR(status);
    GORILA_RETURN_IF_ERROR(snapshots_->Write(service_->Save()));
    Say(fmt::format("stopped at version {}", service_->shard().version()));
    return OkStatus();
  }

 private:
  void Say(const std::string& message) const {
    if (hooks_.message) hooks_.message(message);
  }

  Status Restore() {
    GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
    const ParameterLayout layout = MakeParameterLayout(network);
    layout_fingerprint_ = layout.Fingerprint();
    GORILA_ASSIGN_OR_RETURN(const std::vector<Slice> partition,
                            MakePartition(layout.size, config_.parameter_server.shards));
    const ShardPlace place{.index = options_.index,
                           .shards = config_.parameter_server.shards,
                           .parameters = layout.size,
                           .slice = partition[static_cast<std::size_t>(options_.index)]};
    GORILA_ASSIGN_OR_RETURN(
        ShardSnapshots snapshots,
        ShardSnapshots::Open(options_.state_folder, place, layout_fingerprint_));
    snapshots_ = std::make_unique<ShardSnapshots>(std::move(snapshots));
    for (const std::string& warning : snapshots_->warnings()) Say(warning);
    GORILA_RETURN_IF_ERROR(MakeService(place, RunInitialParameters(config_, layout)));
    if (const auto state = snapshots_->TakeNewest(); state.has_value()) {
      GORILA_RETURN_IF_ERROR(service_->Restore(*state));
    }
    return OkStatus();
  }

  Status MakeService(const ShardPlace& place, std::span<const float> initial) {
    const ShardOptions options = ResolveShardOptions(config_);
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                            MakeOptimizer(options.optimizer, place.slice.size()));
    service_ = std::make_unique<ShardService>(
        place, snapshots_->generation(),
        std::make_unique<ParameterShard>(
            options, initial.subspan(place.slice.begin, place.slice.size()), std::move(optimizer)));
    return OkStatus();
  }

  Status Serve() {
    const rpc::ServerOptions options{
        .listen = options_.listen,
        .tls = options_.credentials.tls,
        .insecure = options_.insecure,
        .identity = {.token = options_.credentials.token, .layout = layout_fingerprint_}};
    GORILA_ASSIGN_OR_RETURN(server_, rpc::Server::Start(options, service_->Methods([this] {
                              return serving_.load() ? server_.get() : nullptr;
                            })));
    serving_.store(true);
    const std::string address = rpc::ToString(server_->endpoint());
    if (!options_.address_file.empty()) {
      GORILA_RETURN_IF_ERROR(WriteFileAtomically(options_.address_file, address + "\n"));
    }
    Say(fmt::format("parameter shard {} of {} listens on {}, generation {}, version {}",
                    options_.index, config_.parameter_server.shards, address,
                    service_->generation(), service_->shard().version()));
    return OkStatus();
  }

  // Until the end is asked for.
  Status Watch() {
    const auto period = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(config_.checkpoint.every_seconds));
    auto next_snapshot = Clock::now() + period;
    auto next_look = Clock::now() + kGenerationLook;
    while (rpc::SleepUnlessStopped(kLook, hooks_.stop_requested)) {
      if (service_->superseded()) {
        return absl::FailedPreconditionError(
            fmt::format("a caller knows a newer generation than {}: this process was replaced, or "
                        "its state folder is not the one it had before",
                        service_->generation()));
      }
      const auto now = Clock::now();
      if (now >= next_look) {
        next_look = now + kGenerationLook;
        GORILA_RETURN_IF_ERROR(snapshots_->CheckNotReplaced());
      }
      if (period > Clock::duration::zero() && now >= next_snapshot) {
        GORILA_RETURN_IF_ERROR(TakeSnapshot());
        next_snapshot = Clock::now() + period;
      }
    }
    return OkStatus();
  }

  // A disk that is full now may not be so later: the shard goes on.
  Status TakeSnapshot() {
    const Status status = snapshots_->Write(service_->Save());
    if (status.code() == absl::StatusCode::kFailedPrecondition) return status;
    if (!status.ok()) Say(fmt::format("no snapshot: {}", std::string(status.message())));
    return OkStatus();
  }

  const Config& config_;
  const ShardProcessOptions& options_;
  const RoleHooks& hooks_;
  std::uint64_t layout_fingerprint_ = 0;
  std::unique_ptr<ShardSnapshots> snapshots_;
  std::unique_ptr<ShardService> service_;
  std::atomic<bool> serving_{false};  // whether server_ may be read by its own handlers
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace

Status RunShardProcess(const Config& config, const ShardProcessOptions& options,
                       const RoleHooks& hooks) {
  const int shards = config.parameter_server.shards;
  if (options.index < 0 || options.index >= shards) {
    return InvalidArgument("--shard is {}; expected 0..{} of {} shards", options.index, shards - 1,
                           shards);
  }
  // Before a generation is taken for nothing.
  GORILA_RETURN_IF_ERROR(
      rpc::CheckExposure(options.listen, options.credentials.tls.has_value(), options.insecure));
  return ShardProcess(config, options, hooks).Run();
}

}  // namespace gorila
