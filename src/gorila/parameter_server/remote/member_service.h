// A member of a group that its leader calls over the network.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_MEMBER_SERVICE_H_
#define GORILA_PARAMETER_SERVER_REMOTE_MEMBER_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/parameter_server/member.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/server.h"
#include "gorila/v1/member.pb.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

inline constexpr char kMemberMethod[] = "gorila.v1.Member/Do";
inline constexpr char kMemberRole[] = "member";  // as certificates name it

struct MemberCounters {
  std::int64_t calls = 0;
  std::int64_t gradients = 0;  // parts of gradients sent to the parameter servers
  std::int64_t leaders = 0;    // that began
};

// Thread-safe: does one call at a time, and refuses others meanwhile (Unavailable). gRPC-free.
class MemberService {
 public:
  // `member` must outlive it and is used by it alone.
  explicit MemberService(Member& member);

  // The methods to serve; they borrow this service. `status` (may be empty) is what GetStatus
  // gives.
  std::vector<rpc::Method> Methods(std::function<v1::RoleStatus()> status = {});

  MemberCounters counters() const GORILA_EXCLUDES(mutex_);

 private:
  StatusOr<rpc::Response> Answer(const rpc::Request& request) GORILA_EXCLUDES(mutex_);
  // Takes the member for this call; FailedPrecondition unless the caller leads.
  Status Enter(const v1::MemberRequest& asked) GORILA_EXCLUDES(mutex_);
  void Leave() GORILA_EXCLUDES(mutex_);
  StatusOr<rpc::Response> Do(const v1::MemberRequest& asked, std::span<const std::byte> payload);

  Member& member_;
  mutable Mutex mutex_;
  bool busy_ GORILA_GUARDED_BY(mutex_) = false;
  std::uint64_t leader_ GORILA_GUARDED_BY(mutex_) = 0;  // 0: nobody yet
  MemberCounters counters_ GORILA_GUARDED_BY(mutex_);
  // Of whoever is inside: inputs of each stage, for Backward.
  std::vector<std::vector<float>> kept_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_MEMBER_SERVICE_H_
