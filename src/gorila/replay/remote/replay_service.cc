#include "gorila/replay/remote/replay_service.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "gorila/base/runtime.h"
#include "gorila/rpc/role_status.h"

namespace gorila {
namespace {

using rpc::Refusal;
using rpc::Refused;

constexpr std::chrono::milliseconds kLongestWait{60'000};
constexpr std::chrono::milliseconds kForTheAnswer{50};
constexpr std::int64_t kMaxRowNumber = std::int64_t{1} << 53;  // so that nothing overflows
constexpr std::size_t kPriorityBytes = sizeof(std::uint64_t) + sizeof(float);

// How long a caller's handler may wait: so that the answer still reaches it.
ReplayEndpoint::Deadline WaitUntil(const rpc::Request& request, std::int64_t milliseconds) {
  auto wait =
      std::chrono::milliseconds(std::clamp<std::int64_t>(milliseconds, 0, kLongestWait.count()));
  if (request.deadline != std::chrono::system_clock::time_point{}) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(request.deadline - WallNow());
    wait = std::clamp(left - kForTheAnswer, std::chrono::milliseconds(0), wait);
  }
  return SteadyNow() + wait;
}

// The next `count` elements of a payload, which is aligned for them.
template <typename T>
std::span<const T> TakeSpan(std::span<const std::byte>& payload, std::size_t count) {
  const std::span<const T> taken(reinterpret_cast<const T*>(payload.data()), count);
  payload = payload.subspan(count * sizeof(T));
  return taken;
}

template <typename T, typename Allocator>
void PutVector(std::span<std::byte>& payload, const std::vector<T, Allocator>& values) {
  std::memcpy(payload.data(), values.data(), values.size() * sizeof(T));
  payload = payload.subspan(values.size() * sizeof(T));
}

Status BadShape(const rpc::Request& request, std::uint64_t expected) {
  return Refused(Refusal::kShape, InvalidArgument("{} bytes of payload, expected {}",
                                                  request.payload.size(), expected));
}

// The rows as views of the payload. Refused when their number and its size do not agree.
StatusOr<std::vector<RowRun>> DecodeRuns(const v1::InsertRequest& header,
                                         const rpc::Request& request,
                                         const ObservationSpec& observation) {
  std::uint64_t rows = 0;
  for (const v1::RowRun& run : header.runs()) {
    if (run.rows() < 1 || run.first() < 0 || run.first() > kMaxRowNumber) {
      return Refused(Refusal::kMalformed,
                     InvalidArgument("a run of {} rows from number {}; expected 1 or more, from "
                                     "0..{}",
                                     run.rows(), run.first(), kMaxRowNumber));
    }
    rows += static_cast<std::uint64_t>(run.rows());
  }
  // The product below could overflow, and then agree with a small payload.
  if (rows > kMaxReplayPayload) {
    return Refused(Refusal::kShape, InvalidArgument("{} rows announced with {} bytes of payload",
                                                    rows, request.payload.size()));
  }
  const InsertColumns columns{.values = header.values(),
                              .log_probabilities = header.log_probabilities()};
  const std::uint64_t expected = rows * InsertRowBytes(observation, columns);
  if (request.payload.size() != expected) return BadShape(request, expected);
  std::span<const std::byte> rest = request.payload;
  const auto time_steps = TakeSpan<TimeStep>(rest, rows);
  const auto actions = TakeSpan<std::int32_t>(rest, rows);
  const auto values = TakeSpan<RowValues>(rest, columns.values ? rows : 0);
  const auto log_probabilities = TakeSpan<float>(rest, columns.log_probabilities ? rows : 0);
  std::vector<RowRun> runs;
  std::size_t begin = 0;
  for (const v1::RowRun& run : header.runs()) {
    const auto count = static_cast<std::size_t>(run.rows());
    const std::size_t bytes = observation.frame_bytes();
    runs.push_back({.stream = {.actor = run.actor(), .life = run.life(), .stream = run.stream()},
                    .game = run.game(),
                    .first = run.first(),
                    .time_steps = time_steps.subspan(begin, count),
                    .actions = actions.subspan(begin, count),
                    .frames = rest.subspan(begin * bytes, count * bytes),
                    .values = columns.values ? values.subspan(begin, count) : values,
                    .log_probabilities = columns.log_probabilities
                                             ? log_probabilities.subspan(begin, count)
                                             : log_probabilities});
    begin += count;
  }
  return runs;
}

// Of each unroll the first state's stack and then one frame for each later row: the rest of a stack
// is in those before it (BuildUnrollStates).
void PutUnrollFrames(std::span<std::byte>& payload, const TransitionBatch& batch,
                     const ObservationSpec& observation) {
  const std::size_t state_bytes = observation.stacked_bytes();
  const std::size_t frame_bytes = observation.frame_bytes();
  const auto put = [&](const std::byte* source, std::size_t bytes) {
    std::memcpy(payload.data(), source, bytes);
    payload = payload.subspan(bytes);
  };
  const std::byte* state = batch.s_tm1.data();
  for (int i = 0; i < batch.size; ++i) {
    put(state, state_bytes);
    state += state_bytes;
    for (int row = 1; row <= batch.unroll; ++row, state += state_bytes) {
      put(state + state_bytes - frame_bytes, frame_bytes);
    }
  }
}

std::shared_ptr<const rpc::Payload> EncodeBatch(const TransitionBatch& batch,
                                                const ObservationSpec& observation) {
  const auto payload =
      std::make_shared<rpc::Payload>(batch.keys.size() * SampleRowBytes(observation, batch.unroll));
  std::span<std::byte> rest = payload->bytes();
  PutVector(rest, batch.keys);
  PutVector(rest, batch.probabilities);
  PutVector(rest, batch.a_tm1);
  PutVector(rest, batch.a_t);
  PutVector(rest, batch.r_t);
  PutVector(rest, batch.discount_t);
  if (batch.unroll > 0) {
    PutVector(rest, batch.log_mu);
    PutUnrollFrames(rest, batch, observation);
    return payload;
  }
  PutVector(rest, batch.s_tm1);
  PutVector(rest, batch.s_t);
  return payload;
}

// Requests that the shard itself found impossible.
Status Mark(const Status& status) {
  return absl::IsInvalidArgument(status) ? Refused(Refusal::kMalformed, status) : status;
}

}  // namespace

std::size_t InsertRowBytes(const ObservationSpec& observation, const InsertColumns& columns) {
  return sizeof(TimeStep) + sizeof(std::int32_t) + (columns.values ? sizeof(RowValues) : 0) +
         (columns.log_probabilities ? sizeof(float) : 0) + observation.frame_bytes();
}

std::size_t SampleRowBytes(const ObservationSpec& observation, int unroll) {
  if (unroll > 0) {
    const auto length = static_cast<std::size_t>(unroll);
    return sizeof(std::uint64_t) + sizeof(double) +
           length * (2 * sizeof(std::int32_t) + 3 * sizeof(float) + observation.frame_bytes()) +
           observation.stacked_bytes();
  }
  return sizeof(std::uint64_t) + sizeof(double) + 2 * sizeof(std::int32_t) + 2 * sizeof(float) +
         2 * observation.stacked_bytes();
}

int MostSampled(const ObservationSpec& observation, int unroll) {
  return static_cast<int>(std::min<std::uint64_t>(
      kMaxSampleSize, kMaxReplayPayload / SampleRowBytes(observation, unroll)));
}

Status CheckSampleSize(const LocalReplayOptions& replay, const ObservationSpec& observation) {
  const int unroll = replay.transition.unroll;
  const int most = MostSampled(observation, unroll);
  if (replay.selector.minibatch <= most) return OkStatus();
  return InvalidArgument(
      "learner.batch_size is {}{} with cluster.replays; expected at most {}: a replay shard sends "
      "{} bytes at once, and {} takes {}",
      replay.selector.minibatch, unroll > 0 ? fmt::format(" of learner.unroll {}", unroll) : "",
      most, kMaxReplayPayload, unroll > 0 ? "an unroll" : "a transition",
      SampleRowBytes(observation, unroll));
}

v1::ReplayShardSize ToProto(const ReplayShardSize& size) {
  v1::ReplayShardSize proto;
  proto.set_generation(size.generation);
  proto.set_transitions(size.transitions);
  proto.set_rows(size.rows);
  proto.set_capacity(size.capacity);
  proto.set_mass(size.mass);
  proto.set_allowed(size.allowed);
  proto.set_inserted(size.inserted);
  proto.set_sampled(size.sampled);
  proto.set_inserts_wait(size.inserts_wait);
  return proto;
}

ReplayShardSize FromProto(const v1::ReplayShardSize& size) {
  return {.generation = size.generation(),
          .transitions = size.transitions(),
          .rows = size.rows(),
          .capacity = size.capacity(),
          .mass = size.mass(),
          .allowed = size.allowed(),
          .inserted = size.inserted(),
          .sampled = size.sampled(),
          .inserts_wait = size.inserts_wait()};
}

ReplayService::ReplayService(ReplayShard& shard, int index)
    : shard_(shard), index_(index), started_(SteadyNow()) {}

std::vector<rpc::Method> ReplayService::Methods(const std::function<const rpc::Server*()>& server) {
  std::vector<rpc::Method> methods;
  methods.push_back({.name = kReplayInsertMethod,
                     .max_payload_bytes = kMaxReplayPayload,
                     .roles = {"actor"},
                     .handle = [this](const rpc::Request& request) { return Insert(request); }});
  methods.push_back({.name = kReplaySampleMethod,
                     .roles = {"learner"},
                     .handle = [this](const rpc::Request& request) { return Sample(request); }});
  methods.push_back(
      {.name = kReplayUpdateMethod,
       .max_payload_bytes = kMaxSampleSize * kPriorityBytes,
       .roles = {"learner"},
       .handle = [this](const rpc::Request& request) { return UpdatePriorities(request); }});
  methods.push_back({.name = kReplaySizeMethod,
                     .roles = {"actor", "learner"},
                     .handle = [this](const rpc::Request&) { return GetSize(); }});
  methods.push_back({.name = rpc::kStatusMethod,
                     .layout_optional = true,
                     .roles = {"operator", "actor", "learner"},
                     .handle = [this, server](const rpc::Request&) {
                       return GetStatus(server ? server() : nullptr);
                     }});
  return methods;
}

StatusOr<rpc::Response> ReplayService::Insert(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto header, rpc::ParseHeader<v1::InsertRequest>(request));
  GORILA_ASSIGN_OR_RETURN(const std::vector<RowRun> runs,
                          DecodeRuns(header, request, shard_.options().observation));
  const StatusOr<InsertReply> reply =
      shard_.Insert(runs, ReplayEndpoint::Deadline::max(),
                    header.unlimited() ? InsertLimit::kLifted : InsertLimit::kKept);
  if (!reply.ok()) return Mark(reply.status());
  v1::InsertResponse response;
  response.set_accepted(reply->accepted);
  response.set_repeated(reply->repeated);
  response.set_waiting(reply->waiting);
  return rpc::Response{.header = response.SerializeAsString(), .payload = nullptr};
}

StatusOr<rpc::Response> ReplayService::Sample(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto header, rpc::ParseHeader<v1::SampleRequest>(request));
  const ObservationSpec& observation = shard_.options().observation;
  const TransitionOptions& transition = shard_.options().replay.transition;
  if (header.unroll() != transition.unroll) {
    return Refused(
        Refusal::kShape,
        InvalidArgument("a sample of unrolls of {} time steps (0: transitions); expected "
                        "{}, learner.unroll of this shard",
                        header.unroll(), transition.unroll));
  }
  const int most = MostSampled(observation, transition.unroll);
  if (header.size() < 1 || header.size() > most) {
    return Refused(Refusal::kShape, InvalidArgument("a sample of {} {}, expected 1 to {}",
                                                    header.size(), transition.noun(), most));
  }
  TransitionBatch batch;
  GORILA_ASSIGN_OR_RETURN(
      const ReplayShardSize size,
      shard_.Sample(header.size(), WaitUntil(request, header.wait_milliseconds()), batch));
  v1::SampleResponse response;
  *response.mutable_size() = ToProto(size);
  response.set_transitions(header.size());
  if (shard_.options().replay.games > 1) {
    response.mutable_games()->Assign(batch.games.begin(), batch.games.end());
  }
  return rpc::Response{.header = response.SerializeAsString(),
                       .payload = EncodeBatch(batch, observation)};
}

StatusOr<rpc::Response> ReplayService::UpdatePriorities(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto header,
                          rpc::ParseHeader<v1::UpdatePrioritiesRequest>(request));
  const std::size_t count = request.payload.size() / kPriorityBytes;
  if (request.payload.size() % kPriorityBytes != 0) {
    return BadShape(request, count * kPriorityBytes);
  }
  std::vector<std::uint64_t> keys(count);
  std::memcpy(keys.data(), request.payload.data(), count * sizeof(std::uint64_t));
  std::span<const std::byte> rest = request.payload.subspan(count * sizeof(std::uint64_t));
  const Status status = shard_.UpdatePriorities(
      header.generation(), keys, TakeSpan<float>(rest, count), ReplayEndpoint::Deadline::max());
  if (!status.ok()) return Mark(status);
  return rpc::Response{.header = v1::UpdatePrioritiesResponse().SerializeAsString(),
                       .payload = nullptr};
}

StatusOr<rpc::Response> ReplayService::GetSize() {
  return rpc::Response{.header = ToProto(shard_.GetStatus().size).SerializeAsString(),
                       .payload = nullptr};
}

v1::RoleStatus ReplayService::OwnStatus(const rpc::Server* server) const {
  const ReplayShardStatus shard = shard_.GetStatus();
  v1::RoleStatus status;
  status.set_role(kReplayRole);
  status.set_index(index_);
  status.set_generation(shard.size.generation);
  status.set_seconds(std::chrono::duration<double>(SteadyNow() - started_).count());
  auto& counters = *status.mutable_counters();
  counters["replay_rows"] = shard.size.rows;
  counters["replay_capacity"] = shard.size.capacity;
  counters["transitions"] = shard.size.transitions;
  counters["accepted"] = shard.counters.accepted;
  counters["repeated"] = shard.counters.repeated;
  counters["evicted"] = shard.counters.evicted;
  if (shard.counters.refused_inserts > 0) {
    counters["refused_inserts"] = shard.counters.refused_inserts;
  }
  counters["streams"] = shard.counters.streams;
  counters["broken_streams"] = shard.counters.broken_streams;
  counters["samples"] = shard.counters.sampled;
  counters["priorities"] = shard.counters.priorities;
  counters["stale_priorities"] = shard.counters.stale_priorities;
  counters["samples_owed"] = shard.size.allowed;
  counters["waiting_samples"] = shard.waiting_samples;
  counters["held_inserts"] = shard.held_inserts;
  counters["held_samples"] = shard.held_samples;
  counters["replay_bytes"] = ReplayShard::ExpectedBytes(shard_.options());
  rpc::AddServerTraffic(server, status);
  rpc::AddProcessUsage(status);
  status.set_waiting(shard.insert_limit.empty() ? shard.sample_limit : shard.insert_limit);
  return status;
}

StatusOr<rpc::Response> ReplayService::GetStatus(const rpc::Server* server) {
  v1::StatusResponse response;
  *response.add_roles() = OwnStatus(server);
  return rpc::Response{.header = response.SerializeAsString(), .payload = nullptr};
}

}  // namespace gorila
