#include "gorila/parameter_server/remote/remote_member.h"

#include <utility>

#include "gorila/parameter_server/remote/member_service.h"

namespace gorila {
namespace {

v1::MemberRequest::Kind KindToProto(MemberCall::Kind kind) {
  switch (kind) {
    case MemberCall::Kind::kPull:
      return v1::MemberRequest::PULL;
    case MemberCall::Kind::kForward:
      return v1::MemberRequest::FORWARD;
    case MemberCall::Kind::kBackward:
      return v1::MemberRequest::BACKWARD;
    case MemberCall::Kind::kNoise:
      return v1::MemberRequest::NOISE;
    case MemberCall::Kind::kAddUp:
      return v1::MemberRequest::ADD_UP;
    case MemberCall::Kind::kSum:
      return v1::MemberRequest::SUM;
    case MemberCall::Kind::kStage:
      break;
  }
  return v1::MemberRequest::STAGE;
}

}  // namespace

v1::MemberRequest RemoteMember::ToProto(const MemberCall& call) const {
  v1::MemberRequest request;
  request.set_kind(KindToProto(call.kind));
  request.set_leader(options_.leader);
  request.set_target(call.target);
  request.set_stage(call.stage);
  request.set_rows(static_cast<int>(call.rows));
  request.set_keep(call.pass == Pass::kForward);
  request.set_inputs(call.kind != MemberCall::Kind::kForward && !call.out.empty());
  request.set_client(call.client);
  request.set_sequence(call.sequence);
  request.set_factor(call.factor);
  request.set_summed(call.summed);
  request.set_last(call.last);
  return request;
}

void RemoteMember::Start(const MemberCall& call) {
  if (!begun_) beginning_ = Recover();
  if (!beginning_.ok()) return;
  out_ = call.out;
  rpc::CallOptions options{.method = kMemberMethod,
                           .header = ToProto(call).SerializeAsString(),
                           .timeout = options_.timeout,
                           .expected_bytes = call.out.size_bytes()};
  if (!call.in.empty()) options.payload = rpc::Payload::Borrow(call.in);
  options.sink = [this](std::string_view, std::uint64_t bytes) -> StatusOr<std::span<std::byte>> {
    const auto room = std::as_writable_bytes(out_);
    if (bytes == room.size()) return room;
    return DataLoss("member {} answered with {} bytes; expected {}", options_.index, bytes,
                    room.size());
  };
  pending_.emplace(channel_.Start(std::move(options)));
}

// Every error that another try may mend is Unavailable here.
StatusOr<MemberAnswer> RemoteMember::Finish() {
  GORILA_RETURN_IF_ERROR(beginning_);
  const StatusOr<std::string> header = pending_->Wait(options_.stop);
  pending_.reset();
  if (!header.ok()) {
    const bool retryable = rpc::IsRetryable(header.status());
    const std::string member =
        fmt::format("member {} at {}", options_.index, rpc::ToString(channel_.endpoint()));
    if (absl::IsFailedPrecondition(header.status()) || !retryable) {
      return Annotate(header.status(), member);
    }
    return Unavailable("{}: {}", member, std::string(header.status().message()));
  }
  GORILA_ASSIGN_OR_RETURN(const auto response,
                          rpc::Channel::ParseResponse<v1::MemberResponse>(*header));
  MemberAnswer answer;
  answer.versions.assign(response.versions().begin(), response.versions().end());
  answer.changed = response.changed();
  answer.size = {.squares = response.squares(), .finite = response.finite()};
  return answer;
}

void RemoteMember::Say(std::string_view what) const {
  if (!options_.message) return;
  options_.message(
      fmt::format("member {} at {} {}", options_.index, rpc::ToString(channel_.endpoint()), what));
}

Status RemoteMember::Recover() {
  v1::MemberRequest request;
  request.set_kind(v1::MemberRequest::BEGIN);
  request.set_leader(options_.leader);
  request.set_member(options_.index);
  request.set_members(options_.members);
  request.set_again(begun_);
  bool said = false;
  const Status status = rpc::Retry(
      options_.retry, options_.stop,
      [&] {
        return channel_
            .CallProto<v1::MemberResponse>(kMemberMethod, request, options_.timeout, options_.stop)
            .status();
      },
      [&](const Status& failure) {
        if (!std::exchange(said, true)) {
          Say(fmt::format("is away: {}", std::string(failure.message())));
        }
      });
  if (!status.ok()) {
    return Annotate(
        status, fmt::format("member {} at {}", options_.index, rpc::ToString(channel_.endpoint())));
  }
  if (std::exchange(begun_, true)) Say(said ? "is back" : "was started again");
  return OkStatus();
}

}  // namespace gorila
