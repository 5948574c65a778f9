// What a server does, as plain functions: no gRPC in sight, so that services are tested without.
#ifndef GORILA_RPC_METHOD_H_
#define GORILA_RPC_METHOD_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/rpc/payload.h"
#include "gorila/rpc/refusal.h"

namespace gorila::rpc {

// A complete request. Valid while the handler runs.
struct Request {
  std::string_view header;             // a serialised message
  std::span<const std::byte> payload;  // aligned for floats
  std::string peer = {};               // "ipv4:127.0.0.1:40000", for messages
  std::string role = {};               // by the certificate; empty without TLS
  std::chrono::system_clock::time_point deadline = {};
  std::function<bool()> cancelled = {};  // whether the caller is gone; may be empty
};

struct Response {
  std::string header;                      // a serialised message
  std::shared_ptr<const Payload> payload;  // null: none
};

// Offers a server shared memory (transport.proto). Every server has this method built in.
inline constexpr char kShareMethod[] = "gorila.v1.Transport/Share";

struct Method {
  std::string name;  // "gorila.v1.ParameterServer/Push"
  std::uint64_t max_payload_bytes = 0;
  bool layout_optional = false;  // whether callers may come without the run's layout
  // Who may call, by certificate (only checked under TLS).
  std::vector<std::string> roles = {};
  // Runs in one of the server's workers, several at once. It may block, but not beyond the
  // request's deadline, and it should look whether the caller is gone when it does. An error that
  // is marked with Refused() is counted under its reason.
  std::function<StatusOr<Response>(const Request&)> handle;
};

// The request's header as a protobuf message; Refused as malformed when it cannot be parsed.
template <typename Message>
StatusOr<Message> ParseHeader(const Request& request) {
  Message message;
  if (!message.ParseFromArray(request.header.data(), static_cast<int>(request.header.size()))) {
    return Refused(Refusal::kMalformed,
                   InvalidArgument("the header is not a {}", message.GetTypeName()));
  }
  return message;
}

}  // namespace gorila::rpc

#endif  // GORILA_RPC_METHOD_H_
