// Whether an address is one of this machine's (of this network namespace's).
#ifndef GORILA_RPC_OWN_ADDRESS_H_
#define GORILA_RPC_OWN_ADDRESS_H_

#include <string_view>

#include "gorila/rpc/endpoint.h"

namespace gorila::rpc {

// A peer as gRPC names it: "ipv4:127.0.0.1:4000", "ipv6:[::1]:4000" (also with %5B and %5D for the
// brackets) or "unix:...". False for what it cannot read.
bool IsOwnPeer(std::string_view peer);

// Blocks while the host's name is looked up.
bool IsOwnEndpoint(const Endpoint& endpoint);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_OWN_ADDRESS_H_
