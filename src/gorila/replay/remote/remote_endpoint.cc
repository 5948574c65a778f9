#include "gorila/replay/remote/remote_endpoint.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "gorila/base/runtime.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/replay/transition_rows.h"
#include "gorila/v1/replay.pb.h"

namespace gorila {
namespace {

using std::chrono::milliseconds;

milliseconds Left(ReplayEndpoint::Deadline deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - SteadyNow());
  return std::max(left, milliseconds(1));
}

// The shard should answer, if only that it had to wait too long, before the call ends.
std::int64_t WaitAtShard(milliseconds call) {
  return (call - std::min(call / 4, milliseconds(500))).count();
}

template <typename T>
void Put(std::span<std::byte>& payload, std::span<const T> values) {
  if (values.empty()) return;  // no pointer to copy from
  std::memcpy(payload.data(), values.data(), values.size_bytes());
  payload = payload.subspan(values.size_bytes());
}

template <typename T, typename Allocator>
void Take(std::span<const std::byte>& payload, std::vector<T, Allocator>& values) {
  std::memcpy(values.data(), payload.data(), values.size() * sizeof(T));
  payload = payload.subspan(values.size() * sizeof(T));
}

// InvalidArgument unless each run has all that its rows need.
Status CheckRuns(std::span<const RowRun> runs, const InsertColumns& columns,
                 std::size_t frame_bytes) {
  for (const RowRun& run : runs) {
    const std::size_t rows = run.time_steps.size();
    if (run.actions.size() != rows || run.frames.size() != rows * frame_bytes) {
      return InvalidArgument("replay: {} rows with {} actions and {} bytes of frames", rows,
                             run.actions.size(), run.frames.size());
    }
    if (run.values.size() != (columns.values ? rows : 0)) {
      return InvalidArgument("replay: {} rows with the values of {}", rows, run.values.size());
    }
    if (run.log_probabilities.size() != (columns.log_probabilities ? rows : 0)) {
      return InvalidArgument("replay: {} rows with the log-probabilities of {}", rows,
                             run.log_probabilities.size());
    }
  }
  return OkStatus();
}

std::shared_ptr<const rpc::Payload> EncodeRuns(std::span<const RowRun> runs,
                                               std::size_t row_bytes) {
  std::size_t rows = 0;
  for (const RowRun& run : runs) rows += run.time_steps.size();
  const auto payload = std::make_shared<rpc::Payload>(rows * row_bytes);
  std::span<std::byte> rest = payload->bytes();
  for (const RowRun& run : runs) Put(rest, run.time_steps);
  for (const RowRun& run : runs) Put(rest, run.actions);
  for (const RowRun& run : runs) Put(rest, run.values);
  for (const RowRun& run : runs) Put(rest, run.log_probabilities);
  for (const RowRun& run : runs) Put(rest, run.frames);
  return payload;
}

void TakeUnrollFrames(std::span<const std::byte> rest, const ObservationSpec& observation,
                      TransitionBatch& batch) {
  const std::size_t bytes = observation.frame_bytes();
  const auto length = static_cast<std::size_t>(batch.unroll);
  std::byte* states = batch.s_tm1.data();
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    BuildUnrollStates(
        std::span(batch.a_tm1).subspan(i * length, length), observation.stack, bytes,
        [&](std::size_t frame, std::byte* destination) {
          std::memcpy(destination, &rest[frame * bytes], bytes);
        },
        states);
    states += (length + 1) * observation.stacked_bytes();
    rest = rest.subspan(length * bytes + observation.stacked_bytes());
  }
}

void DecodeBatch(std::span<const std::byte> rest, int size, const ObservationSpec& observation,
                 int unroll, TransitionBatch& batch) {
  batch.Resize(size, observation.stacked_bytes(), unroll);
  Take(rest, batch.keys);
  Take(rest, batch.probabilities);
  Take(rest, batch.a_tm1);
  Take(rest, batch.a_t);
  Take(rest, batch.r_t);
  Take(rest, batch.discount_t);
  if (unroll > 0) {
    Take(rest, batch.log_mu);
    return TakeUnrollFrames(rest, observation, batch);
  }
  Take(rest, batch.s_tm1);
  Take(rest, batch.s_t);
}

}  // namespace

Status RemoteReplayEndpoint::TakeGames(const v1::SampleResponse& response,
                                       TransitionBatch& batch) const {
  std::fill(batch.games.begin(), batch.games.end(), 0);
  if (response.games().empty() && games_ == 1) return OkStatus();
  if (static_cast<std::size_t>(response.games_size()) != batch.games.size()) {
    return DataLoss("a sample with the games of {}; expected {}", response.games_size(),
                    batch.games.size());
  }
  for (const std::int32_t game : response.games()) {
    if (game < 0 || game >= games_) {
      return DataLoss("a sample of game {}; expected 0 to {}", game, games_ - 1);
    }
  }
  std::copy(response.games().begin(), response.games().end(), batch.games.begin());
  return OkStatus();
}

StatusOr<InsertReply> RemoteReplayEndpoint::Insert(std::span<const RowRun> runs, Deadline deadline,
                                                   InsertLimit limit) {
  const milliseconds timeout = Left(deadline);
  v1::InsertRequest request;
  request.set_unlimited(limit == InsertLimit::kLifted);
  InsertColumns columns;
  if (!runs.empty()) {
    columns = {.values = !runs.front().values.empty(),
               .log_probabilities = !runs.front().log_probabilities.empty()};
  }
  GORILA_RETURN_IF_ERROR(CheckRuns(runs, columns, observation_.frame_bytes()));
  request.set_values(columns.values);
  request.set_log_probabilities(columns.log_probabilities);
  for (const RowRun& run : runs) {
    v1::RowRun& proto = *request.add_runs();
    proto.set_actor(run.stream.actor);
    proto.set_life(run.stream.life);
    proto.set_stream(run.stream.stream);
    proto.set_game(run.game);
    proto.set_first(run.first);
    proto.set_rows(static_cast<std::int32_t>(run.time_steps.size()));
  }
  GORILA_ASSIGN_OR_RETURN(
      const std::string header,
      channel_.Call({.method = kReplayInsertMethod,
                     .header = request.SerializeAsString(),
                     .payload = EncodeRuns(runs, InsertRowBytes(observation_, columns)),
                     .timeout = timeout},
                    stop_));
  GORILA_ASSIGN_OR_RETURN(const auto response,
                          rpc::Channel::ParseResponse<v1::InsertResponse>(header));
  return InsertReply{.accepted = response.accepted(),
                     .repeated = response.repeated(),
                     .waiting = response.waiting()};
}

StatusOr<ReplayShardSize> RemoteReplayEndpoint::Sample(int size, Deadline deadline,
                                                       TransitionBatch& batch) {
  const milliseconds timeout = Left(deadline);
  v1::SampleRequest request;
  request.set_wait_milliseconds(WaitAtShard(timeout));
  request.set_size(size);
  request.set_unroll(unroll_);
  const std::uint64_t expected =
      static_cast<std::uint64_t>(size) * SampleRowBytes(observation_, unroll_);
  rpc::Payload payload(expected);
  const auto sink = [&](std::string_view, std::uint64_t bytes) -> StatusOr<std::span<std::byte>> {
    if (bytes == expected) return payload.bytes();
    return DataLoss("a sample of {} bytes; expected {}", bytes, expected);
  };
  GORILA_ASSIGN_OR_RETURN(const std::string header,
                          channel_.Call({.method = kReplaySampleMethod,
                                         .header = request.SerializeAsString(),
                                         .timeout = timeout,
                                         .sink = sink,
                                         .expected_bytes = expected},
                                        stop_));
  GORILA_ASSIGN_OR_RETURN(const auto response,
                          rpc::Channel::ParseResponse<v1::SampleResponse>(header));
  if (response.transitions() != size) {
    return DataLoss("a sample of {} transitions or unrolls; expected {}", response.transitions(),
                    size);
  }
  DecodeBatch(static_cast<const rpc::Payload&>(payload).bytes(), size, observation_, unroll_,
              batch);
  GORILA_RETURN_IF_ERROR(TakeGames(response, batch));
  return FromProto(response.size());
}

Status RemoteReplayEndpoint::UpdatePriorities(std::int64_t generation,
                                              std::span<const std::uint64_t> keys,
                                              std::span<const float> td_errors, Deadline deadline) {
  v1::UpdatePrioritiesRequest request;
  request.set_generation(generation);
  const auto payload = std::make_shared<rpc::Payload>(keys.size_bytes() + td_errors.size_bytes());
  std::span<std::byte> rest = payload->bytes();
  Put(rest, keys);
  Put(rest, td_errors);
  return channel_
      .Call({.method = kReplayUpdateMethod,
             .header = request.SerializeAsString(),
             .payload = payload,
             .timeout = Left(deadline)},
            stop_)
      .status();
}

StatusOr<ReplayShardSize> RemoteReplayEndpoint::GetSize(Deadline deadline) {
  GORILA_ASSIGN_OR_RETURN(const auto response,
                          channel_.CallProto<v1::ReplayShardSize>(
                              kReplaySizeMethod, v1::ReplaySizeRequest(), Left(deadline), stop_));
  return FromProto(response);
}

}  // namespace gorila
