#include "gorila/parameter_server/remote/shard_service.h"

#include <limits>
#include <utility>

#include "gorila/base/crash_point.h"
#include "gorila/base/runtime.h"
#include "gorila/parameter_server/gradient_codec.h"
#include "gorila/v1/parameter_server.pb.h"
#include "gorila/v1/role.pb.h"

namespace gorila {
namespace {

using rpc::Refusal;
using rpc::Refused;
using Clock = std::chrono::steady_clock;

// A process is replaced a few times a day at most: whoever claims to have seen a generation this
// far ahead is broken, and must not end a shard that works.
constexpr std::int64_t kMaxGenerationsAhead = 1'000'000;

// A bundle that says nothing for so long is not shown any more.
constexpr std::chrono::seconds kForgetAfter{60};

v1::PushResponse::Verdict ToProto(ParameterShard::Verdict verdict) {
  switch (verdict) {
    case ParameterShard::Verdict::kAccepted:
      return v1::PushResponse::ACCEPTED;
    case ParameterShard::Verdict::kStale:
      return v1::PushResponse::STALE;
    case ParameterShard::Verdict::kInvalid:
      return v1::PushResponse::INVALID;
  }
  return v1::PushResponse::UNKNOWN;
}

Status Malformed(Status status) { return Refused(Refusal::kMalformed, std::move(status)); }

Status NotShardZero(int index) {
  return Refused(Refusal::kMethod,
                 absl::UnimplementedError(fmt::format(
                     "shard {} does not keep the run's progress; shard 0 does", index)));
}

rpc::Response Encode(const google::protobuf::MessageLite& message,
                     std::shared_ptr<const rpc::Payload> payload = nullptr) {
  return {.header = message.SerializeAsString(), .payload = std::move(payload)};
}

StatusOr<GradientEncoding> EncodingOf(const v1::PushRequest& push) {
  switch (push.encoding()) {
    case v1::PushRequest::FLOAT32:
      return GradientEncoding::kFloat32;
    case v1::PushRequest::BF16:
      return GradientEncoding::kBf16;
    case v1::PushRequest::TOP_K:
      return GradientEncoding::kTopK;
    default:
      return Malformed(InvalidArgument("gradient encoding is {}; expected 0..2",
                                       static_cast<int>(push.encoding())));
  }
}

// The gradient's `size` floats: in place in the payload, or decoded into `decoded`.
StatusOr<std::span<const float>> ReadGradient(GradientEncoding encoding,
                                              std::span<const std::byte> payload, std::size_t size,
                                              std::vector<float>& decoded) {
  if (encoding != GradientEncoding::kFloat32) {
    const Status status = DecodeGradient(encoding, payload, decoded);
    if (!status.ok()) return Refused(Refusal::kShape, status);
    return std::span<const float>(decoded);
  }
  const std::size_t wanted = size * sizeof(float);
  if (payload.size() != wanted) {
    return Refused(Refusal::kShape, InvalidArgument("gradient of {} bytes; expected {} ({} floats)",
                                                    payload.size(), wanted, size));
  }
  return std::span<const float>(reinterpret_cast<const float*>(payload.data()), size);
}

Status CheckSequence(const v1::PushRequest& push) {
  if (push.sequence() >= 1 && push.sequence() <= PushLedger::kMaxSequence) return OkStatus();
  return Malformed(
      InvalidArgument("sequence is {}; expected 1..{}", push.sequence(), PushLedger::kMaxSequence));
}

Status CheckPush(const v1::PushRequest& push, std::int64_t generation, std::int64_t version) {
  GORILA_RETURN_IF_ERROR(CheckSequence(push));
  if (push.computed_generation() < 1 || push.computed_generation() > generation) {
    return Malformed(InvalidArgument("computed_generation is {}; expected 1..{}",
                                     push.computed_generation(), generation));
  }
  const bool own = push.computed_generation() == generation;
  if (push.computed_version() < 0 || (own && push.computed_version() > version)) {
    return Malformed(InvalidArgument("computed_version is {}; expected 0..{}",
                                     push.computed_version(), version));
  }
  return OkStatus();
}

}  // namespace

ShardService::ShardService(const ShardPlace& place, std::int64_t generation,
                           std::unique_ptr<ParameterShard> shard,
                           std::unique_ptr<ClientReports> reports)
    : place_(place),
      generation_(generation),
      started_(SteadyNow()),
      shard_(std::move(shard)),
      staged_(place.slice),
      reports_(std::move(reports)) {
  GORILA_CHECK(generation_ >= 1, "generation {}", generation_);
}

Status ShardService::Restore(const ShardState& state) {
  GORILA_RETURN_IF_ERROR(shard_->Restore(state.shard));
  const MutexLock lock(mutex_);
  StateReader reader(state.clients);
  GORILA_RETURN_IF_ERROR(ledger_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reports_->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.Read(counters_));
  return reader.Finish();
}

ShardState ShardService::Save() const {
  const MutexLock lock(mutex_);
  StateWriter writer;
  ledger_.SaveState(writer);
  reports_->SaveState(writer);
  writer.Write(counters_);
  return {.shard = shard_->Snapshot(), .clients = writer.Take()};
}

ShardServiceCounters ShardService::counters() const {
  const MutexLock lock(mutex_);
  return counters_;
}

std::int64_t ShardService::run_frames() const {
  const MutexLock lock(mutex_);
  return reports_->run_frames();
}

void ShardService::HoldEnd(std::int64_t frames) {
  const MutexLock lock(mutex_);
  held_end_ = frames;
}

Status ShardService::CheckGeneration(std::int64_t seen) {
  if (seen < 0 || seen - generation_ > kMaxGenerationsAhead) {
    return Malformed(InvalidArgument("seen_generation is {}; expected 0..{}", seen,
                                     generation_ + kMaxGenerationsAhead));
  }
  if (seen <= generation_) return OkStatus();
  superseded_.store(true, std::memory_order_relaxed);
  // Unavailable: the caller is right, and finds the newer one when it tries again.
  return Refused(Refusal::kGeneration,
                 Unavailable("shard {}: this is generation {}, but generation {} was seen: this "
                             "process was replaced, or lost its state",
                             place_.index, generation_, seen));
}

StatusOr<rpc::Response> ShardService::Describe(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto asked, rpc::ParseHeader<v1::DescribeRequest>(request));
  GORILA_RETURN_IF_ERROR(CheckGeneration(asked.seen_generation()));
  v1::ShardDescription description;
  description.set_shard(place_.index);
  description.set_shards(place_.shards);
  description.set_parameters(place_.parameters);
  description.set_begin(place_.slice.begin);
  description.set_end(place_.slice.end);
  description.set_generation(generation_);
  description.set_version(shard_->version());
  return Encode(description);
}

StatusOr<rpc::Response> ShardService::Pull(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto asked, rpc::ParseHeader<v1::PullRequest>(request));
  GORILA_RETURN_IF_ERROR(CheckGeneration(asked.seen_generation()));
  v1::PullResponse response;
  GORILA_ASSIGN_OR_RETURN(auto payload, TakeParameters(asked, response));
  return Encode(response, std::move(payload));
}

// Null where the caller has them.
StatusOr<std::shared_ptr<const rpc::Payload>> ShardService::TakeParameters(
    const v1::PullRequest& asked, v1::PullResponse& response) {
  std::int64_t have = asked.have_generation() == generation_ ? asked.have_version() : -1;
  auto values = asked.target() ? shard_->ShareTarget(have) : shard_->Share(have);
  response.set_generation(generation_);
  response.set_version(have);
  response.set_latest_version(shard_->version());
  response.set_target_version(shard_->target_version());
  if (values != nullptr && asked.pieces_size() > 0) {
    const StatusOr<Pieces> pieces = ReadPieces(asked.pieces(), place_.parameters);
    if (!pieces.ok()) return Malformed(pieces.status());
    values = std::make_shared<const std::vector<float>>(Gather(*pieces, place_.slice, *values));
  }
  return values != nullptr ? rpc::Payload::Of(std::move(values)) : nullptr;
}

StatusOr<rpc::Response> ShardService::Push(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto push, rpc::ParseHeader<v1::PushRequest>(request));
  GORILA_RETURN_IF_ERROR(CheckGeneration(push.seen_generation()));
  if (push.has_part()) return PushPart(push, request);
  if (push.then().target() || push.then().pieces_size() > 0) {
    return Malformed(InvalidArgument(
        "a gradient that wants target parameters or pieces; expected the slice's parameters"));
  }
  GORILA_ASSIGN_OR_RETURN(const GradientEncoding encoding, EncodingOf(push));
  std::vector<float> decoded(encoding == GradientEncoding::kFloat32 ? 0 : place_.slice.size());
  GORILA_ASSIGN_OR_RETURN(const auto gradient,
                          ReadGradient(encoding, request.payload, place_.slice.size(), decoded));
  GORILA_RETURN_IF_ERROR(CheckPush(push, generation_, shard_->version()));
  // A pass over the gradient, so before the lock under which all others wait.
  const bool finite = SquaresAreFinite(gradient);
  v1::PushResponse response;
  {
    const MutexLock lock(mutex_);
    GORILA_RETURN_IF_ERROR(DecideOnce(push, gradient, finite, response));
  }
  CrashPoint("gradient decided on");
  response.set_generation(generation_);
  response.set_version(shard_->version());
  if (!push.has_then()) return Encode(response);
  GORILA_ASSIGN_OR_RETURN(auto payload, TakeParameters(push.then(), *response.mutable_pulled()));
  return Encode(response, std::move(payload));
}

// True where it was, with the verdict.
StatusOr<bool> ShardService::WasDecided(const v1::PushRequest& push, v1::PushResponse& response) {
  const PushLedger::Answer known = ledger_.Find(push.client(), push.sequence());
  if (known.known == PushLedger::Known::kForgotten) {
    return Refused(Refusal::kSequence,
                   absl::FailedPreconditionError(
                       fmt::format("gradient {} is more than {} behind the newest of this client",
                                   push.sequence(), PushLedger::kWindow)));
  }
  if (known.known != PushLedger::Known::kDecided) return false;
  response.set_repeated(true);
  response.set_verdict(ToProto(known.verdict));
  ++counters_.repeated;
  return true;
}

Status ShardService::DecideOnce(const v1::PushRequest& push, std::span<const float> gradient,
                                bool finite, v1::PushResponse& response) {
  GORILA_ASSIGN_OR_RETURN(const bool decided, WasDecided(push, response));
  if (decided) return OkStatus();
  const ParameterShard::Verdict verdict =
      Decide(gradient, finite, push.computed_generation(), push.computed_version());
  ledger_.Record(push.client(), push.sequence(), verdict);
  ++counters_.pushed;
  response.set_verdict(ToProto(verdict));
  return OkStatus();
}

StatusOr<rpc::Response> ShardService::PushPart(const v1::PushRequest& push,
                                               const rpc::Request& request) {
  const v1::GradientPart& part = push.part();
  const int member = part.member();
  if (part.members() < 2 || part.members() > kMostMembers || member < 0 ||
      member >= part.members() || push.encoding() != v1::PushRequest::FLOAT32 ||
      request.payload.size() % sizeof(float) != 0) {
    return Malformed(InvalidArgument(
        "a part of member {} of {} in encoding {}; expected 2..{} members and float32", member,
        part.members(), static_cast<int>(push.encoding()), kMostMembers));
  }
  if (push.has_then()) {
    return Malformed(InvalidArgument("a part that wants parameters; expected a pull of its own"));
  }
  const StatusOr<Pieces> pieces = ReadPieces(part.pieces(), place_.parameters);
  if (!pieces.ok()) return Malformed(pieces.status());
  GORILA_RETURN_IF_ERROR(CheckSequence(push));
  // Member 0 has the versions that all of them computed from.
  if (member == 0) GORILA_RETURN_IF_ERROR(CheckPush(push, generation_, shard_->version()));
  const std::span<const float> values(reinterpret_cast<const float*>(request.payload.data()),
                                      request.payload.size() / sizeof(float));
  v1::PushResponse response;
  GORILA_ASSIGN_OR_RETURN(const std::vector<float> whole,
                          StagePart(push, *pieces, values, response));
  if (!whole.empty()) {
    const bool finite = SquaresAreFinite(whole);
    const MutexLock lock(mutex_);
    GORILA_RETURN_IF_ERROR(DecideOnce(push, whole, finite, response));
  }
  CrashPoint("gradient decided on");
  response.set_generation(generation_);
  response.set_version(shard_->version());
  return Encode(response);
}

// The gradient, to be decided on, when this was its last part; else nothing, and the answer's
// verdict.
StatusOr<std::vector<float>> ShardService::StagePart(const v1::PushRequest& push,
                                                     const Pieces& pieces,
                                                     std::span<const float> values,
                                                     v1::PushResponse& response) {
  const v1::GradientPart& part = push.part();
  const std::vector<int> others(part.others().begin(), part.others().end());
  response.set_verdict(v1::PushResponse::STAGED);
  const MutexLock lock(mutex_);
  GORILA_ASSIGN_OR_RETURN(const bool decided, WasDecided(push, response));
  if (decided) return std::vector<float>();
  const Status staged =
      staged_.Stage(push.client(), push.sequence(), part.member(), pieces, values);
  if (!staged.ok()) return Refused(Refusal::kShape, staged);
  if (part.member() > 0) return std::vector<float>();
  if (staged_.Has(push.client(), push.sequence(), others)) {
    return staged_.Take(push.client(), push.sequence());
  }
  response.set_verdict(v1::PushResponse::INCOMPLETE);
  return std::vector<float>();
}

ParameterShard::Verdict ShardService::Decide(std::span<const float> gradient, bool finite,
                                             std::int64_t computed_generation,
                                             std::int64_t computed_version) {
  // Versions of different generations do not compare: such a gradient counts as stale.
  constexpr std::int64_t kLongAgo = std::numeric_limits<std::int64_t>::min() / 2;
  return shard_->PushChecked(gradient, finite,
                             computed_generation == generation_ ? computed_version : kLongAgo);
}

StatusOr<rpc::Response> ShardService::Report(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto report, rpc::ParseHeader<v1::ReportRequest>(request));
  GORILA_RETURN_IF_ERROR(CheckGeneration(report.seen_generation()));
  if (place_.index != 0) return NotShardZero(place_.index);
  v1::ReportResponse response;
  {
    const MutexLock lock(mutex_);
    const auto acknowledged = reports_->Report(report, SteadyNow());
    if (!acknowledged.ok()) return Malformed(acknowledged.status());
    response.set_acknowledged_episodes(*acknowledged);
    response.set_run_frames(ToldFrames());
    response.set_report_every_ms(static_cast<int>(reports_->ReportEvery(SteadyNow()).count()));
  }
  response.set_generation(generation_);
  response.set_version(shard_->version());
  return Encode(response);
}

StatusOr<rpc::Response> ShardService::GetProgress(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto asked, rpc::ParseHeader<v1::ProgressRequest>(request));
  GORILA_RETURN_IF_ERROR(CheckGeneration(asked.seen_generation()));
  if (place_.index != 0) return NotShardZero(place_.index);
  v1::ProgressResponse response;
  response.set_generation(generation_);
  response.set_version(shard_->version());
  const MutexLock lock(mutex_);
  response.set_run_frames(ToldFrames());
  reports_->AddProgress(asked.first_episode(), response);
  return Encode(response);
}

v1::RoleStatus ShardService::OwnStatus(const rpc::Server* server) const {
  v1::RoleStatus own;
  own.set_role(kParameterServerRole);
  own.set_index(place_.index);
  own.set_generation(generation_);
  own.set_seconds(std::chrono::duration<double>(SteadyNow() - started_).count());
  auto& counters = *own.mutable_counters();
  rpc::AddServerTraffic(server, own);
  rpc::AddProcessUsage(own);
  // Between two gradients: pushed = accepted + stale + invalid, and version, are of one moment.
  const MutexLock lock(mutex_);
  const ParameterShardCounters shard = shard_->counters();
  counters["version"] = shard_->version();
  counters["accepted"] = shard.accepted;
  counters["stale"] = shard.stale;
  counters["invalid"] = shard.invalid;
  counters["staleness_sum"] = shard.staleness_sum;
  for (std::size_t i = 0; i < shard.staleness.size(); ++i) {
    if (shard.staleness[i] > 0) counters[fmt::format("staleness_{}", i)] = shard.staleness[i];
  }
  counters["pushed"] = counters_.pushed;
  counters["repeated"] = counters_.repeated;
  if (place_.index == 0) counters["frames"] = reports_->run_frames();
  return own;
}

StatusOr<rpc::Response> ShardService::GetStatus(const rpc::Request& request,
                                                const rpc::Server* server) {
  GORILA_ASSIGN_OR_RETURN(const auto asked, rpc::ParseHeader<v1::StatusRequest>(request));
  std::vector<v1::RoleStatus> roles = {OwnStatus(server)};
  if (place_.index == 0) {
    const MutexLock lock(mutex_);
    for (v1::RoleStatus& client : reports_->Clients(SteadyNow(), kForgetAfter)) {
      roles.push_back(std::move(client));
    }
  }
  return Encode(rpc::StatusPage(roles, asked.first()));
}

std::vector<rpc::Method> ShardService::Methods(const std::function<const rpc::Server*()>& server) {
  const auto bind = [this](StatusOr<rpc::Response> (ShardService::*method)(const rpc::Request&)) {
    return [this, method](const rpc::Request& request) { return (this->*method)(request); };
  };
  const std::vector<std::string> everybody = {"bundle", "actor",  "learner",
                                              "replay", "member", kOperatorRole};
  std::vector<rpc::Method> methods = {
      {.name = kDescribeMethod, .roles = everybody, .handle = bind(&ShardService::Describe)},
      {.name = kPullMethod, .roles = everybody, .handle = bind(&ShardService::Pull)},
      {.name = kPushMethod,
       .max_payload_bytes = MaxEncodedBytes(GradientEncoding::kTopK, place_.slice.size()),
       .roles = {"bundle", "learner", "member"},
       .handle = bind(&ShardService::Push)},
      {.name = kReportMethod,
       .roles = {"bundle", "actor", "learner", "replay", "member"},
       .handle = bind(&ShardService::Report)},
      {.name = kProgressMethod,
       .roles = {kOperatorRole},
       .handle = bind(&ShardService::GetProgress)}};
  methods.push_back({.name = rpc::kStatusMethod,
                     .layout_optional = true,
                     .roles = everybody,
                     .handle = [this, server](const rpc::Request& request) {
                       return GetStatus(request, server ? server() : nullptr);
                     }});
  return methods;
}

}  // namespace gorila
