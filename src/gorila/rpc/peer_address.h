#ifndef GORILA_RPC_PEER_ADDRESS_H_
#define GORILA_RPC_PEER_ADDRESS_H_

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace gorila::rpc {

// Who is at the other end of a TCP connection. IPv4 within IPv6 is IPv4. A value.
struct PeerAddress {
  std::string host;  // 4 or 16 bytes; empty: of a Unix socket, or unknown
  int port = 0;

  auto operator<=>(const PeerAddress&) const = default;  // NOLINT(modernize-use-nullptr)
};

PeerAddress PeerAddressOf(const sockaddr_storage& address);

// As gRPC names it: "ipv4:127.0.0.1:4000", "ipv6:[::1]:4000", also with %5B and %5D for the
// brackets.
PeerAddress ParsePeerAddress(std::string_view peer);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_PEER_ADDRESS_H_
