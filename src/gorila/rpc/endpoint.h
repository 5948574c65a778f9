// Where a process listens or is reached.
#ifndef GORILA_RPC_ENDPOINT_H_
#define GORILA_RPC_ENDPOINT_H_

#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila::rpc {

// A value; "127.0.0.1:7000", "shard-0.gorila:7000", "[::1]:7000" or "unix:/run/gorila/shard-0".
struct Endpoint {
  std::string host;  // without brackets; of a Unix socket the path
  int port = 0;      // 0: any free one, for listening only
  bool unix_socket = false;

  bool operator==(const Endpoint&) const = default;
};

// InvalidArgument with `text` and what is expected. Port 0 only with `may_be_any_port`.
StatusOr<Endpoint> ParseEndpoint(std::string_view text, bool may_be_any_port = false);

// Several, separated by commas; at least one.
StatusOr<std::vector<Endpoint>> ParseEndpoints(std::string_view text);

// As ParseEndpoint() reads it.
std::string ToString(const Endpoint& endpoint);

// Whether only this machine can reach it: 127.0.0.0/8, ::1, localhost or a Unix socket.
bool IsLoopback(const Endpoint& endpoint);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_ENDPOINT_H_
