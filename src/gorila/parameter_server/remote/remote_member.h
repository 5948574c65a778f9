// A leader's way to a member of its group in another process.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_REMOTE_MEMBER_H_
#define GORILA_PARAMETER_SERVER_REMOTE_REMOTE_MEMBER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "gorila/network/split/member_group.h"
#include "gorila/rpc/channel.h"
#include "gorila/rpc/retry.h"
#include "gorila/v1/member.pb.h"

namespace gorila {

struct RemoteMemberOptions {
  rpc::ChannelOptions channel;                // of a process with role kMemberRole
  int index = 1;                              // of the member, below `members`
  int members = 2;                            // of the group
  std::uint64_t leader = 0;                   // of this process, drawn at random
  std::chrono::milliseconds timeout{10'000};  // of one call
  rpc::RetryPolicy retry = {};                // how long an absent member is waited for
  rpc::StopPredicate stop = {};
  std::function<void(std::string_view)> message = {};  // it goes away, or is back
};

// Begins to lead with its first call, which waits until the member answers. Used by the leader's
// thread alone.
class RemoteMember final : public MemberLink {
 public:
  explicit RemoteMember(const RemoteMemberOptions& options)
      : options_(options), channel_(options.channel) {}

  void Start(const MemberCall& call) override;
  StatusOr<MemberAnswer> Finish() override;
  Status Recover() override;

 private:
  v1::MemberRequest ToProto(const MemberCall& call) const;
  void Say(std::string_view what) const;

  const RemoteMemberOptions options_;
  rpc::Channel channel_;
  std::optional<rpc::PendingCall> pending_;
  std::span<float> out_;  // of the call under way
  bool begun_ = false;
  Status beginning_;  // why it could not begin
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_REMOTE_MEMBER_H_
