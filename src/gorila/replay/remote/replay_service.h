// A replay shard that other processes call.
#ifndef GORILA_REPLAY_REMOTE_REPLAY_SERVICE_H_
#define GORILA_REPLAY_REMOTE_REPLAY_SERVICE_H_

#include <chrono>
#include <functional>
#include <vector>

#include "gorila/replay/replay_shard.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/server.h"
#include "gorila/v1/replay.pb.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

// Method names (proto/gorila/v1/replay.proto).
inline constexpr char kReplayInsertMethod[] = "gorila.v1.Replay/Insert";
inline constexpr char kReplaySampleMethod[] = "gorila.v1.Replay/Sample";
inline constexpr char kReplayUpdateMethod[] = "gorila.v1.Replay/UpdatePriorities";
inline constexpr char kReplaySizeMethod[] = "gorila.v1.Replay/GetSize";

// The role, as certificates name it.
inline constexpr char kReplayRole[] = "replay";

inline constexpr int kMaxSampleSize = 65536;
inline constexpr std::uint64_t kMaxReplayPayload = std::uint64_t{256} << 20;  // bytes, either way

// What comes with each row of an insert besides its time step, action and frame.
struct InsertColumns {
  bool values = false;
  bool log_probabilities = false;
};

// Bytes of one row in an insert, and of one transition, or unroll of `unroll` time steps, in a
// sample.
std::size_t InsertRowBytes(const ObservationSpec& observation, const InsertColumns& columns);
std::size_t SampleRowBytes(const ObservationSpec& observation, int unroll = 0);

// The most transitions or unrolls that one answer has room for.
int MostSampled(const ObservationSpec& observation, int unroll);
// InvalidArgument naming the keys when a learner's minibatch is more than that.
Status CheckSampleSize(const LocalReplayOptions& replay, const ObservationSpec& observation);

v1::ReplayShardSize ToProto(const ReplayShardSize& size);
ReplayShardSize FromProto(const v1::ReplayShardSize& size);

// Thread-safe. gRPC-free: the server calls what Methods() gives it. Refuses what cannot be with a
// reason that the server counts; then the shard is unchanged.
class ReplayService {
 public:
  // `shard` must outlive the service. `index`: among the run's replay shards.
  ReplayService(ReplayShard& shard, int index);

  // The methods to serve; they borrow this service. `server` (may be empty) is asked
  // for status.
  std::vector<rpc::Method> Methods(const std::function<const rpc::Server*()>& server = {});

  // The status of this process, with the calls of `server` unless that is null.
  v1::RoleStatus OwnStatus(const rpc::Server* server) const;

 private:
  StatusOr<rpc::Response> Insert(const rpc::Request& request);
  StatusOr<rpc::Response> Sample(const rpc::Request& request);
  StatusOr<rpc::Response> UpdatePriorities(const rpc::Request& request);
  StatusOr<rpc::Response> GetSize();
  StatusOr<rpc::Response> GetStatus(const rpc::Server* server);

  ReplayShard& shard_;
  const int index_;
  const std::chrono::steady_clock::time_point started_;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_REMOTE_REPLAY_SERVICE_H_
