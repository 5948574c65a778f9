#ifndef GORILA_RPC_LISTENING_SOCKETS_H_
#define GORILA_RPC_LISTENING_SOCKETS_H_

#include <sys/types.h>

#include <optional>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/rpc/descriptor.h"
#include "gorila/rpc/endpoint.h"

namespace gorila::rpc {

// All addresses of an endpoint, with one port; a Unix socket's file is removed at the end, unless
// another server has put its own there. Any address (0.0.0.0 or ::) is any of IPv4 and IPv6.
class ListeningSockets {
 public:
  // Unavailable when an address is taken or not of this machine. Blocks while a name is looked up.
  static StatusOr<ListeningSockets> Open(const Endpoint& endpoint);
  ListeningSockets(ListeningSockets&&) = default;
  ListeningSockets& operator=(ListeningSockets&&) = delete;
  ~ListeningSockets();

  void Close();

  // Non-blocking.
  const std::vector<Descriptor>& sockets() const { return sockets_; }
  // With the port that was chosen for port 0.
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  explicit ListeningSockets(const Endpoint& endpoint) : endpoint_(endpoint) {}
  Status OpenUnix();
  Status OpenAny();
  Status OpenHost();

  Endpoint endpoint_;
  std::vector<Descriptor> sockets_;
  std::optional<std::pair<dev_t, ino_t>> file_;  // of this Unix socket
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_LISTENING_SOCKETS_H_
