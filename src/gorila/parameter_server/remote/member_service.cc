#include "gorila/parameter_server/remote/member_service.h"

#include <memory>
#include <utility>

#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/rpc/role_status.h"

namespace gorila {
namespace {

using rpc::Refusal;
using rpc::Refused;

// A payload may be as large as the widest layer's activations: many rows of many units.
constexpr std::uint64_t kMostPayload = std::uint64_t{1} << 32;

StatusOr<MemberCall::Kind> KindOf(const v1::MemberRequest& asked) {
  switch (asked.kind()) {
    case v1::MemberRequest::PULL:
      return MemberCall::Kind::kPull;
    case v1::MemberRequest::FORWARD:
      return MemberCall::Kind::kForward;
    case v1::MemberRequest::BACKWARD:
      return MemberCall::Kind::kBackward;
    case v1::MemberRequest::STAGE:
      return MemberCall::Kind::kStage;
    case v1::MemberRequest::NOISE:
      return MemberCall::Kind::kNoise;
    case v1::MemberRequest::ADD_UP:
      return MemberCall::Kind::kAddUp;
    case v1::MemberRequest::SUM:
      return MemberCall::Kind::kSum;
    default:
      return Refused(Refusal::kMalformed,
                     InvalidArgument("kind is {}; expected 0..7", static_cast<int>(asked.kind())));
  }
}

// Floats that the answer's payload has; 0 of what the member will refuse.
std::size_t AnswerFloats(const v1::MemberRequest& asked, const Member& member) {
  if (asked.kind() == v1::MemberRequest::SUM) return asked.inputs() ? member.local_size() : 0;
  if (asked.rows() < 1 || static_cast<std::size_t>(asked.rows()) > member.max_rows()) return 0;
  const SplitPlan& plan = member.plan();
  if (asked.stage() < 0 || asked.stage() >= std::ssize(plan.stages)) return 0;
  const SplitStage& stage = plan.stages[static_cast<std::size_t>(asked.stage())];
  const auto rows = static_cast<std::size_t>(asked.rows());
  if (asked.kind() == v1::MemberRequest::FORWARD) return rows * stage.outputs();
  const bool inputs = asked.kind() == v1::MemberRequest::BACKWARD && asked.inputs();
  return inputs ? rows * stage.inputs() : 0;
}

v1::MemberResponse ToProto(const MemberAnswer& answer) {
  v1::MemberResponse response;
  for (const std::int64_t version : answer.versions) response.add_versions(version);
  response.set_changed(answer.changed);
  response.set_squares(answer.size.squares);
  response.set_finite(answer.size.finite);
  return response;
}

Status LedByAnother() {
  return absl::PermissionDeniedError("another process leads this member now");
}

}  // namespace

MemberService::MemberService(Member& member)
    : member_(member), kept_(member.plan().stages.size()) {}

Status MemberService::Enter(const v1::MemberRequest& asked) {
  const MutexLock lock(mutex_);
  // Of a call whose caller gave up.
  if (busy_) return Unavailable("the member is busy with an earlier call");
  if (asked.leader() == 0) {
    return Refused(Refusal::kMalformed, InvalidArgument("leader is 0; expected a random number"));
  }
  if (asked.kind() == v1::MemberRequest::BEGIN) {
    if (asked.member() != member_.index() || asked.members() != member_.plan().members) {
      return Refused(Refusal::kMalformed,
                     InvalidArgument("this is member {} of {}; its leader expects member {} of {}",
                                     member_.index(), member_.plan().members, asked.member(),
                                     asked.members()));
    }
    // A leader that was cut off must not take the member back from its successor.
    if (asked.again() && leader_ != 0 && leader_ != asked.leader()) return LedByAnother();
    if (leader_ != asked.leader()) ++counters_.leaders;
    leader_ = asked.leader();
  } else if (leader_ == 0) {
    return absl::FailedPreconditionError("nobody leads this member yet");
  } else if (leader_ != asked.leader()) {
    return LedByAnother();
  }
  busy_ = true;
  ++counters_.calls;
  if (asked.kind() == v1::MemberRequest::STAGE) ++counters_.gradients;
  return OkStatus();
}

void MemberService::Leave() {
  const MutexLock lock(mutex_);
  busy_ = false;
}

StatusOr<rpc::Response> MemberService::Answer(const rpc::Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto asked, rpc::ParseHeader<v1::MemberRequest>(request));
  GORILA_RETURN_IF_ERROR(Enter(asked));
  StatusOr<rpc::Response> response = Do(asked, request.payload);
  Leave();
  return response;
}

StatusOr<rpc::Response> MemberService::Do(const v1::MemberRequest& asked,
                                          std::span<const std::byte> payload) {
  if (asked.kind() == v1::MemberRequest::BEGIN) {
    return rpc::Response{.header = v1::MemberResponse().SerializeAsString(), .payload = nullptr};
  }
  GORILA_ASSIGN_OR_RETURN(const MemberCall::Kind kind, KindOf(asked));
  auto out = std::make_shared<std::vector<float>>(AnswerFloats(asked, member_));
  std::span<const float> in(reinterpret_cast<const float*>(payload.data()),
                            payload.size() / sizeof(float));
  const bool keeps = asked.keep() && asked.stage() >= 0 && asked.stage() < std::ssize(kept_);
  if (keeps) {
    std::vector<float>& kept = kept_[static_cast<std::size_t>(asked.stage())];
    kept.assign(in.begin(), in.end());
    in = kept;
  }
  GORILA_ASSIGN_OR_RETURN(const MemberAnswer answer,
                          member_.Do({.kind = kind,
                                      .target = asked.target(),
                                      .stage = asked.stage(),
                                      .rows = static_cast<std::size_t>(std::max(asked.rows(), 0)),
                                      .pass = asked.keep() ? Pass::kForward : Pass::kPredict,
                                      .in = in,
                                      .out = *out,
                                      .client = asked.client(),
                                      .sequence = asked.sequence(),
                                      .factor = asked.factor(),
                                      .summed = asked.summed(),
                                      .last = asked.last()}));
  return rpc::Response{.header = ToProto(answer).SerializeAsString(),
                       .payload = out->empty() ? nullptr : rpc::Payload::Of(std::move(out))};
}

MemberCounters MemberService::counters() const {
  const MutexLock lock(mutex_);
  return counters_;
}

std::vector<rpc::Method> MemberService::Methods(std::function<v1::RoleStatus()> status) {
  std::vector<rpc::Method> methods = {
      {.name = kMemberMethod,
       .max_payload_bytes = kMostPayload,
       .roles = {"bundle", "learner"},
       .handle = [this](const rpc::Request& request) { return Answer(request); }}};
  methods.push_back(
      {.name = rpc::kStatusMethod,
       .layout_optional = true,
       .roles = {"bundle", "learner", kOperatorRole},
       .handle = [status =
                      std::move(status)](const rpc::Request& request) -> StatusOr<rpc::Response> {
         GORILA_ASSIGN_OR_RETURN(const auto asked, rpc::ParseHeader<v1::StatusRequest>(request));
         std::vector<v1::RoleStatus> roles;
         if (status) roles.push_back(status());
         return rpc::Response{.header = rpc::StatusPage(roles, asked.first()).SerializeAsString(),
                              .payload = nullptr};
       }});
  return methods;
}

}  // namespace gorila
