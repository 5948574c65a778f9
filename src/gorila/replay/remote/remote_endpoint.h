// A replay shard in another process.
#ifndef GORILA_REPLAY_REMOTE_REMOTE_ENDPOINT_H_
#define GORILA_REPLAY_REMOTE_REMOTE_ENDPOINT_H_

#include "gorila/env/environment.h"
#include "gorila/replay/replay_endpoint.h"
#include "gorila/rpc/channel.h"
#include "gorila/v1/replay.pb.h"

namespace gorila {

// Each method is one call, without a retry. DeadlineExceeded when no answer came in time, too.
class RemoteReplayEndpoint final : public ReplayEndpoint {
 public:
  // `unroll`: time steps of what the shard serves; 0: transitions. `games`: of the run.
  RemoteReplayEndpoint(const rpc::ChannelOptions& channel, const ObservationSpec& observation,
                       rpc::StopPredicate stop = {}, int unroll = 0, int games = 1)
      : channel_(channel),
        observation_(observation),
        unroll_(unroll),
        games_(games),
        stop_(std::move(stop)) {}

  StatusOr<InsertReply> Insert(std::span<const RowRun> runs, Deadline deadline,
                               InsertLimit limit) override;
  StatusOr<ReplayShardSize> Sample(int size, Deadline deadline, TransitionBatch& batch) override;
  Status UpdatePriorities(std::int64_t generation, std::span<const std::uint64_t> keys,
                          std::span<const float> td_errors, Deadline deadline) override;
  StatusOr<ReplayShardSize> GetSize(Deadline deadline) override;

 private:
  // DataLoss unless they are the run's.
  Status TakeGames(const v1::SampleResponse& response, TransitionBatch& batch) const;

  rpc::Channel channel_;
  const ObservationSpec observation_;
  const int unroll_;
  const int games_;
  const rpc::StopPredicate stop_;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_REMOTE_REMOTE_ENDPOINT_H_
