#include "gorila/launch/member_process.h"

#include <chrono>
#include <memory>

#include "gorila/base/denormals.h"
#include "gorila/base/runtime.h"
#include "gorila/config/resolve.h"
#include "gorila/launch/progress_reporter.h"
#include "gorila/launch/remote_parts.h"
#include "gorila/network/split/split_network.h"
#include "gorila/parameter_server/remote/member_service.h"
#include "gorila/rpc/role_status.h"
#include "gorila/run/agent_parts.h"

namespace gorila {
namespace {

// A call of the leader, one that was given up, and a look at the status.
constexpr int kMemberWorkers = 4;
constexpr std::chrono::milliseconds kMemberLook{50};

Status CheckPlace(const Config& config, int index) {
  const int members = RowOf(Role::kMember).count(config);
  if (index >= 0 && index < members) return OkStatus();
  if (members == 0) {
    return InvalidArgument(
        "learner.members is {} in a run of {} bundles and {} learners, none of "
        "which has other members; expected 2 or more",
        config.learner.members, config.run.bundles, config.cluster.learners);
  }
  return InvalidArgument(
      "--member-index is {}; expected 0..{}: with learner.members {} the run has {} members beside "
      "its bundles and learners",
      index, members - 1, config.learner.members, members);
}

class MemberStatus {
 public:
  MemberStatus(int index, const MemberService& service, const Member& member)
      : index_(index), service_(service), bytes_(static_cast<std::int64_t>(member.bytes())) {}

  v1::RoleStatus Now(const RemoteParameterStore& store) const {
    v1::RoleStatus status;
    status.set_role(kMemberRole);
    status.set_index(index_);
    status.set_seconds(std::chrono::duration<double>(SteadyNow() - started_).count());
    const MemberCounters counters = service_.counters();
    const RemoteStoreTraffic traffic = store.traffic();
    auto& shown = *status.mutable_counters();
    shown["calls"] = counters.calls;
    shown["gradients"] = counters.gradients;
    shown["leaders"] = counters.leaders;
    shown["parameter_bytes"] = bytes_;
    shown["pushes"] = traffic.pushes;
    shown["bytes_pushed"] = traffic.bytes_pushed;
    shown["bytes_pulled"] = traffic.bytes_pulled;
    shown["retries"] = traffic.retries;
    return status;
  }

 private:
  const int index_;
  const MemberService& service_;
  const std::int64_t bytes_;
  const std::chrono::steady_clock::time_point started_ = SteadyNow();
};

}  // namespace

Status RunMemberProcess(const Config& config, const MemberProcessOptions& options,
                        const RoleHooks& hooks) {
  const ServingOptions& serving = options.serving;
  GORILA_RETURN_IF_ERROR(CheckPlace(config, serving.index));
  GORILA_RETURN_IF_ERROR(
      rpc::CheckExposure(serving.listen, serving.credentials.tls.has_value(), serving.insecure));
  FlushDenormalsInThisThread();
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(const SplitPlan plan, PlanSplitNetwork(network, config.learner.members));
  const RemoteParts parts{.parameter_servers = options.parameter_servers,
                          .replays = {},
                          .credentials = serving.credentials,
                          .retry = options.retry};
  GORILA_ASSIGN_OR_RETURN(const auto store, ConnectStore(parts, config, network, hooks));
  const auto rows = static_cast<std::size_t>(GroupOptionsOf(config, 0).max_batch) * plan.rows;
  Member member(plan, 1 + serving.index % (config.learner.members - 1), rows, *store);
  MemberService service(member);
  const MemberStatus status(serving.index, service, member);
  RoleServer server;
  GORILA_RETURN_IF_ERROR(server.Start(serving, MakeParameterLayout(network).Fingerprint(),
                                      kMemberWorkers, [&](const RoleServer::Lookup&) {
                                        return service.Methods([&] { return status.Now(*store); });
                                      }));
  hooks.Say(fmt::format("member {} listens on {}, {} bytes of parameters and gradient",
                        serving.index, server.address(), member.bytes()));
  FrameClock clock;
  ProgressReporter reporter(*store, clock, hooks, [&] {
    ProcessReport report;
    report.status = status.Now(*store);
    return report;
  });
  GORILA_RETURN_IF_ERROR(reporter.Start(options.retry));
  while (rpc::SleepUnlessStopped(kMemberLook, hooks.stop_requested)) continue;
  server.Stop();
  // A server is stopped when the run ends, whatever its frames.
  const Status finished = reporter.Finish(config.run.frames);
  return absl::IsCancelled(finished) ? OkStatus() : finished;
}

}  // namespace gorila
