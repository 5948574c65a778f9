// Which calls a server takes.
#ifndef GORILA_RPC_ADMISSION_H_
#define GORILA_RPC_ADMISSION_H_

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/runtime.h"
#include "gorila/base/status.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/server.h"

namespace gorila::rpc {

// What a call says of itself before its request.
struct CallMetadata {
  std::string_view method;      // "gorila.v1.ParameterServer/Push"
  std::string_view token = {};  // empty: none was given
  std::string_view layout = {};
  std::string_view role = {};  // by the certificate; only looked at under TLS
  WallTime deadline = WallTime::max();
};

// Thread-safe.
class Admission {
 public:
  // `options` must outlive this.
  Admission(const ServerOptions& options, std::vector<Method> methods);

  // The method to run, and a place among the present calls, which the caller gives back with
  // Release(); or why the call is refused. A caller without the token does not learn which methods
  // exist.
  StatusOr<const Method*> Admit(const CallMetadata& call);
  void Release() { present_calls_.fetch_sub(1); }

 private:
  Status CheckRole(const CallMetadata& call, const Method& method) const;
  Status CheckDeadline(WallTime deadline) const;

  const ServerOptions& options_;
  const std::map<std::string, Method, std::less<>> methods_;
  std::atomic<int> present_calls_{0};
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_ADMISSION_H_
