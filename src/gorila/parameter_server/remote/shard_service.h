// A parameter shard that other processes call: checks, decides each gradient once, fences off what
// a newer generation replaced.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_SHARD_SERVICE_H_
#define GORILA_PARAMETER_SERVER_REMOTE_SHARD_SERVICE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/remote/client_reports.h"
#include "gorila/parameter_server/remote/push_ledger.h"
#include "gorila/parameter_server/remote/staged_gradients.h"
#include "gorila/parameter_server/shard.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/role_status.h"
#include "gorila/rpc/server.h"
#include "gorila/v1/parameter_server.pb.h"

namespace gorila {

// Method names (proto/gorila/v1/parameter_server.proto).
inline constexpr char kDescribeMethod[] = "gorila.v1.ParameterServer/Describe";
inline constexpr char kPullMethod[] = "gorila.v1.ParameterServer/Pull";
inline constexpr char kPushMethod[] = "gorila.v1.ParameterServer/Push";
inline constexpr char kReportMethod[] = "gorila.v1.ParameterServer/Report";
inline constexpr char kProgressMethod[] = "gorila.v1.ParameterServer/GetProgress";

// Roles, as certificates name them.
inline constexpr char kParameterServerRole[] = "parameter-server";
inline constexpr char kOperatorRole[] = "operator";  // launch and status

// Where a shard stands among all.
struct ShardPlace {
  int index = 0;
  int shards = 1;
  std::size_t parameters = 0;  // of the whole vector
  Slice slice;
};

// Everything that a restarted shard continues from.
struct ShardState {
  ShardSnapshot shard;
  std::string clients;  // which gradients were decided on, and the run's progress
};

// Since the run's beginning, as the shard's own.
struct ShardServiceCounters {
  std::int64_t pushed = 0;    // gradients decided on: accepted, stale or invalid
  std::int64_t repeated = 0;  // that came again, and were not decided on again
};

// Thread-safe. gRPC-free: the server calls what Methods() gives it.
class ShardService {
 public:
  // `generation` >= 1, larger than that of any process that had this place before. `reports` keeps
  // what roles report to shard 0.
  ShardService(const ShardPlace& place, std::int64_t generation,
               std::unique_ptr<ParameterShard> shard, std::unique_ptr<ClientReports> reports);

  // Before it serves. DataLoss or InvalidArgument when the state is not of such a shard; then the
  // service must not be used.
  Status Restore(const ShardState& state);

  // A state in which every gradient was decided on wholly or not at all. Pushes wait while it is
  // copied.
  ShardState Save() const GORILA_EXCLUDES(mutex_);

  // The methods to serve; they borrow this service. `traffic` (may be empty) is asked
  // for status.
  std::vector<rpc::Method> Methods(const std::function<const rpc::Server*()>& server = {});

  // The status of this process, with the calls of `server` unless that is null.
  v1::RoleStatus OwnStatus(const rpc::Server* server) const GORILA_EXCLUDES(mutex_);

  // Whether a caller knew of a newer generation: this process was replaced and must end.
  bool superseded() const { return superseded_.load(std::memory_order_relaxed); }

  std::int64_t generation() const { return generation_; }
  const ParameterShard& shard() const { return *shard_; }
  ShardServiceCounters counters() const GORILA_EXCLUDES(mutex_);
  std::int64_t run_frames() const GORILA_EXCLUDES(mutex_);

  // A run ends for those who hear of so many frames, and they do not come back. So nobody hears of
  // them before they are safe, which ReleaseEnd() says.
  void HoldEnd(std::int64_t frames) GORILA_EXCLUDES(mutex_);
  void ReleaseEnd() GORILA_EXCLUDES(mutex_) { HoldEnd(std::numeric_limits<std::int64_t>::max()); }

 private:
  std::int64_t ToldFrames() const GORILA_REQUIRES(mutex_) {
    return std::min(reports_->run_frames(), held_end_ - 1);
  }
  Status CheckGeneration(std::int64_t seen);
  StatusOr<rpc::Response> Describe(const rpc::Request& request);
  StatusOr<rpc::Response> Pull(const rpc::Request& request);
  StatusOr<std::shared_ptr<const rpc::Payload>> TakeParameters(const v1::PullRequest& asked,
                                                               v1::PullResponse& response);
  StatusOr<rpc::Response> Push(const rpc::Request& request) GORILA_EXCLUDES(mutex_);
  // Of a member above 0: kept. Of member 0: decided on with the others'.
  StatusOr<rpc::Response> PushPart(const v1::PushRequest& push, const rpc::Request& request)
      GORILA_EXCLUDES(mutex_);
  StatusOr<std::vector<float>> StagePart(const v1::PushRequest& push, const Pieces& pieces,
                                         std::span<const float> values, v1::PushResponse& response)
      GORILA_EXCLUDES(mutex_);
  // Decides, unless it was decided on before.
  Status DecideOnce(const v1::PushRequest& push, std::span<const float> gradient, bool finite,
                    v1::PushResponse& response) GORILA_REQUIRES(mutex_);
  StatusOr<bool> WasDecided(const v1::PushRequest& push, v1::PushResponse& response)
      GORILA_REQUIRES(mutex_);
  StatusOr<rpc::Response> Report(const rpc::Request& request) GORILA_EXCLUDES(mutex_);
  StatusOr<rpc::Response> GetProgress(const rpc::Request& request) GORILA_EXCLUDES(mutex_);
  StatusOr<rpc::Response> GetStatus(const rpc::Request& request, const rpc::Server* server)
      GORILA_EXCLUDES(mutex_);
  ParameterShard::Verdict Decide(std::span<const float> gradient, bool finite,
                                 std::int64_t computed_generation, std::int64_t computed_version)
      GORILA_REQUIRES(mutex_);

  const ShardPlace place_;
  const std::int64_t generation_;
  const std::chrono::steady_clock::time_point started_;
  const std::unique_ptr<ParameterShard> shard_;
  std::atomic<bool> superseded_{false};

  // Held from looking a gradient up until it is decided on and noted, so that what Save() copies is
  // of one piece. Pulls do not take it.
  mutable Mutex mutex_;
  PushLedger ledger_ GORILA_GUARDED_BY(mutex_);
  // Lost with the process: then the group sends its parts again.
  StagedGradients staged_ GORILA_GUARDED_BY(mutex_);
  const std::unique_ptr<ClientReports> reports_ GORILA_THREAD_ANNOTATION(pt_guarded_by(mutex_));
  ShardServiceCounters counters_ GORILA_GUARDED_BY(mutex_);
  std::int64_t held_end_ GORILA_GUARDED_BY(mutex_) = std::numeric_limits<std::int64_t>::max();
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_SHARD_SERVICE_H_
