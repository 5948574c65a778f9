#include "gorila/launch/serving.h"

#include <chrono>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/runtime.h"
#include "gorila/rpc/retry.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kStopLook{50};
constexpr std::chrono::milliseconds kGrace{2000};

Status TakeSnapshot(const SnapshotSchedule& schedule, const RoleHooks& hooks) {
  Status status = schedule.take();
  if (status.code() == absl::StatusCode::kFailedPrecondition) return status;
  if (!status.ok())
    hooks.Say(fmt::format("cannot take a snapshot: {}", std::string(status.message())));
  return OkStatus();
}

// A file system that is unavailable for a while does not end the process. `failed`: whether the
// previous check failed, so that an outage is reported once.
Status CheckNotReplaced(const SnapshotSchedule& schedule, const RoleHooks& hooks, bool& failed) {
  Status status = schedule.check();
  if (status.code() == absl::StatusCode::kFailedPrecondition) return status;
  const bool failed_before = std::exchange(failed, !status.ok());
  if (failed && !failed_before) {
    hooks.Say(
        fmt::format("cannot check whether another process has replaced this one; trying again: {}",
                    std::string(status.message())));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<StateLock>> LockState(const ServingOptions& options,
                                               const RoleHooks& hooks) {
  return StateLock::Acquire(options.state_folder,
                            {.stop_requested = hooks.stop_requested,
                             .message = [&hooks](std::string_view text) { hooks.Say(text); }});
}

Status RoleServer::Start(const ServingOptions& options, std::uint64_t layout, int workers,
                         const std::function<std::vector<rpc::Method>(Lookup)>& make_methods) {
  const rpc::ServerOptions server_options{
      .listen = options.listen,
      .tls = options.credentials.tls,
      .insecure = options.insecure,
      .identity = {.token = options.credentials.token, .layout = layout},
      .workers = workers};
  GORILA_ASSIGN_OR_RETURN(
      server_, rpc::Server::Start(server_options, make_methods([this] { return server(); })));
  serving_.store(true);
  if (options.address_file.empty()) return OkStatus();
  return WriteFileAtomically(options.address_file, address() + "\n");
}

void RoleServer::Stop() { server_->Stop(kGrace); }

Status TakeSnapshotsUntilStopped(const SnapshotSchedule& schedule, const RoleHooks& hooks) {
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(schedule.every_seconds));
  auto next_snapshot = SteadyNow() + period;
  auto next_check = SteadyNow() + schedule.check_every;
  bool failed = false;
  while (rpc::SleepUnlessStopped(kStopLook, hooks.stop_requested)) {
    if (schedule.look) GORILA_RETURN_IF_ERROR(schedule.look());
    const auto now = SteadyNow();
    if (now >= next_check) {
      next_check = now + schedule.check_every;
      GORILA_RETURN_IF_ERROR(CheckNotReplaced(schedule, hooks, failed));
    }
    if (period > Clock::duration::zero() && now >= next_snapshot) {
      GORILA_RETURN_IF_ERROR(TakeSnapshot(schedule, hooks));
      next_snapshot = SteadyNow() + period;
    }
  }
  return OkStatus();
}

}  // namespace gorila
