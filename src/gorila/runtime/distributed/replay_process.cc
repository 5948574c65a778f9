#include "gorila/runtime/distributed/replay_process.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/replay/remote/replay_snapshots.h"
#include "gorila/rpc/server.h"
#include "gorila/runtime/agent_parts.h"
#include "gorila/runtime/cluster.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kGenerationLook{1000};
constexpr std::chrono::milliseconds kGrace{2000};
// Each caller that waits for the rate limiter holds one.
constexpr int kWorkers = 64;

class ReplayProcess {
 public:
  ReplayProcess(const Config& config, const ReplayProcessOptions& options, const RoleHooks& hooks)
      : config_(config), options_(options), hooks_(hooks) {}

  Status Run() {
    GORILA_RETURN_IF_ERROR(Restore());
    GORILA_RETURN_IF_ERROR(Serve());
    const Status status = Watch();
    shard_->Close();
    server_->Stop(kGrace);
    GORILA_RETURN_IF_ERROR(status);
    if (config_.checkpoint.replay) GORILA_RETURN_IF_ERROR(snapshots_->Write(*shard_));
    Say(fmt::format("stopped with {} rows", shard_->GetStatus().size.rows));
    return OkStatus();
  }

 private:
  void Say(const std::string& message) const {
    if (hooks_.message) hooks_.message(message);
  }

  Status Restore() {
    GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
    layout_ = MakeParameterLayout(network).Fingerprint();
    shard_options_ = {.replay = config_.replay.options,
                      .observation = network.input,
                      .num_actions = network.num_actions};
    GORILA_RETURN_IF_ERROR(
        CheckReplayBytes(config_, ReplayShard::ExpectedBytes(shard_options_),
                         fmt::format("a shard of {} time steps", config_.replay.options.capacity)));
    GORILA_ASSIGN_OR_RETURN(ReplaySnapshots snapshots,
                            ReplaySnapshots::Open(options_.state_folder, layout_));
    snapshots_ = std::make_unique<ReplaySnapshots>(std::move(snapshots));
    shard_options_.generation = snapshots_->generation();
    GORILA_RETURN_IF_ERROR(MakeShard());
    const StatusOr<bool> restored = snapshots_->Restore(*shard_);
    for (const std::string& warning : snapshots_->warnings()) Say(warning);
    if (!absl::IsDataLoss(restored.status())) return restored.status();
    // Experience is made anew while the run goes on.
    Say(fmt::format("begins empty: {}", std::string(restored.status().message())));
    snapshots_->StartAnew();
    return MakeShard();
  }

  Status MakeShard() {
    shard_.reset();  // two would not fit into the memory
    const auto stream = static_cast<std::uint64_t>(options_.index);
    GORILA_ASSIGN_OR_RETURN(
        shard_, ReplayShard::Make(shard_options_,
                                  RandomStream::Derive(config_.run.seed, "replay shard", stream)));
    return OkStatus();
  }

  Status Serve() {
    service_ = std::make_unique<ReplayService>(*shard_, options_.index);
    const rpc::ServerOptions options{
        .listen = options_.listen,
        .tls = options_.credentials.tls,
        .insecure = options_.insecure,
        .identity = {.token = options_.credentials.token, .layout = layout_},
        .workers = kWorkers};
    GORILA_ASSIGN_OR_RETURN(server_, rpc::Server::Start(options, service_->Methods([this] {
                              return serving_.load() ? server_.get() : nullptr;
                            })));
    serving_.store(true);
    const std::string address = rpc::ToString(server_->endpoint());
    if (!options_.address_file.empty()) {
      GORILA_RETURN_IF_ERROR(WriteFileAtomically(options_.address_file, address + "\n"));
    }
    Say(fmt::format("replay shard {} listens on {}, generation {}, {} of {} rows, {} bytes",
                    options_.index, address, snapshots_->generation(),
                    shard_->GetStatus().size.rows, config_.replay.options.capacity,
                    ReplayShard::ExpectedBytes(shard_options_)));
    return OkStatus();
  }

  // Until the end is asked for.
  Status Watch() {
    const auto period = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(config_.checkpoint.every_seconds));
    const bool snapshots = config_.checkpoint.replay && period > Clock::duration::zero();
    auto next_snapshot = Clock::now() + period;
    auto next_look = Clock::now() + kGenerationLook;
    while (rpc::SleepUnlessStopped(kLook, hooks_.stop_requested)) {
      const auto now = Clock::now();
      if (now >= next_look) {
        next_look = now + kGenerationLook;
        GORILA_RETURN_IF_ERROR(snapshots_->CheckNotReplaced());
      }
      if (snapshots && now >= next_snapshot) {
        GORILA_RETURN_IF_ERROR(TakeSnapshot());
        next_snapshot = Clock::now() + period;
      }
    }
    return OkStatus();
  }

  // A disk that is full now may not be so later: the shard goes on.
  Status TakeSnapshot() {
    const Status status = snapshots_->Write(*shard_);
    if (status.code() == absl::StatusCode::kFailedPrecondition) return status;
    if (!status.ok()) Say(fmt::format("no snapshot: {}", std::string(status.message())));
    return OkStatus();
  }

  const Config& config_;
  const ReplayProcessOptions& options_;
  const RoleHooks& hooks_;
  std::uint64_t layout_ = 0;
  ReplayShardOptions shard_options_;
  std::unique_ptr<ReplaySnapshots> snapshots_;
  std::unique_ptr<ReplayShard> shard_;
  std::unique_ptr<ReplayService> service_;
  std::atomic<bool> serving_{false};  // whether server_ may be read by its own handlers
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace

Status RunReplayProcess(const Config& config, const ReplayProcessOptions& options,
                        const RoleHooks& hooks) {
  if (options.index < 0) {
    return InvalidArgument("--replay-index is {}; expected 0 or more", options.index);
  }
  // Before a generation is taken for nothing.
  GORILA_RETURN_IF_ERROR(
      rpc::CheckExposure(options.listen, options.credentials.tls.has_value(), options.insecure));
  return ReplayProcess(config, options, hooks).Run();
}

}  // namespace gorila
