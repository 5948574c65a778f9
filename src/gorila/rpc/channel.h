// A process's side that calls others.
#ifndef GORILA_RPC_CHANNEL_H_
#define GORILA_RPC_CHANNEL_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gorila/base/status.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/payload.h"
#include "gorila/rpc/retry.h"
#include "gorila/rpc/run_identity.h"
#include "gorila/rpc/security.h"

namespace gorila::rpc {

struct ChannelOptions {
  Endpoint endpoint;
  std::string role;  // of the server: under TLS only its certificate is accepted
  std::optional<TlsIdentity> tls = {};
  RunIdentity identity;
  // Payloads go through memory that both ends see, where the server is on this machine.
  bool shared_memory = true;
};

struct CallOptions {
  std::string method;                                // "gorila.v1.ParameterServer/Push"
  std::string header;                                // serialised request message
  std::shared_ptr<const Payload> payload = nullptr;  // null: none
  std::chrono::milliseconds timeout{10'000};
  // Where the response's payload goes: given its header and size, returns exactly that many bytes,
  // valid until the call has ended, or an error, which becomes the call's. Called in another
  // thread, before Wait() returns. Empty: a payload is an error.
  std::function<StatusOr<std::span<std::byte>>(std::string_view header, std::uint64_t bytes)> sink =
      {};
  // The largest payload that the response can have, for so much is set aside where it comes through
  // memory. A larger one is an error there.
  std::uint64_t expected_bytes = 0;
};

// A call under way, as the network has it.
class Call {
 public:
  virtual ~Call() = default;
  // As PendingCall's.
  virtual StatusOr<std::string> Wait(const StopPredicate& stop) = 0;
  virtual bool done() const = 0;
  virtual void Cancel() = 0;
};

class Caller;

// A call under way. The destructor cancels it if need be, and waits until the network is done with
// it.
class PendingCall {
 public:
  explicit PendingCall(std::unique_ptr<Call> call) : call_(std::move(call)) {}
  PendingCall(PendingCall&&) noexcept = default;
  PendingCall& operator=(PendingCall&&) = delete;
  ~PendingCall();

  // The response's header, or the error. Blocks until the call has ended: at most its timeout;
  // shortly after `stop`, with Cancelled. Once.
  StatusOr<std::string> Wait(const StopPredicate& stop = {}) { return call_->Wait(stop); }

  // Whether Wait() would not block.
  bool done() const { return call_->done(); }

  void Cancel() { call_->Cancel(); }

 private:
  std::unique_ptr<Call> call_;
};

// A connection to one server, made when it is first needed and again when it broke. Thread-safe.
class Channel {
 public:
  explicit Channel(const ChannelOptions& options);
  ~Channel();

  const Endpoint& endpoint() const { return endpoint_; }

  // Whether payloads may go through memory: the server is on this machine. Blocks while its name is
  // looked up.
  bool SharesMemory() const;

  // Starts a call; several may be under way at once. It fails at once (Unavailable) while the
  // server cannot be reached: trying again is the caller's business (Retry).
  PendingCall Start(CallOptions options);

  // Starts and waits.
  StatusOr<std::string> Call(CallOptions options, const StopPredicate& stop = {}) {
    return Start(std::move(options)).Wait(stop);
  }

  // The same with protobuf messages and without payload.
  template <typename Response, typename Request>
  StatusOr<Response> CallProto(std::string_view method, const Request& request,
                               std::chrono::milliseconds timeout, const StopPredicate& stop = {}) {
    GORILA_ASSIGN_OR_RETURN(const std::string header, Call({.method = std::string(method),
                                                            .header = request.SerializeAsString(),
                                                            .timeout = timeout},
                                                           stop));
    return ParseResponse<Response>(header);
  }

  // DataLoss when `header` is not such a message.
  template <typename Response>
  static StatusOr<Response> ParseResponse(const std::string& header) {
    Response response;
    if (response.ParseFromString(header)) return response;
    return DataLoss("the response is not a {}", response.GetTypeName());
  }

 private:
  const Endpoint endpoint_;
  const std::unique_ptr<Caller> caller_;
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_CHANNEL_H_
