// The side of a process that answers calls.
#ifndef GORILA_RPC_SERVER_H_
#define GORILA_RPC_SERVER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/refusal.h"
#include "gorila/rpc/run_identity.h"
#include "gorila/rpc/security.h"

namespace gorila::rpc {

struct ServerOptions {
  Endpoint listen = {};
  std::optional<TlsIdentity> tls = {};
  bool insecure = false;  // off loopback without TLS
  RunIdentity identity = {};
  int workers = 8;                                   // handlers that run at once
  int max_calls = 1024;                              // at once; more are refused as busy
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  // of payloads being received at once
  std::chrono::milliseconds longest_deadline{
      600'000};               // calls that want to last longer are refused
  bool shared_memory = true;  // of clients on this machine, as much again as max_bytes
  // Connections that showed no token so far: how many, and for how long.
  std::size_t max_strangers = 1024;
  std::chrono::milliseconds stranger_patience{10'000};
};

struct ServerTraffic {
  std::int64_t calls = 0;           // that came, refused ones included
  std::int64_t bytes_received = 0;  // headers and payloads of complete requests
  std::int64_t bytes_sent = 0;      // headers and payloads of responses
  std::int64_t bytes_shared = 0;    // of these, payloads in shared memory
};

// Thread-safe but for Stop.
class Server {
 public:
  // Starts listening. InvalidArgument where others could reach it unprotected; Unavailable when the
  // address is taken or belongs to another machine.
  static StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                 std::vector<Method> methods);
  // Stop() with a grace of one second.
  virtual ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it listens, with the port that was chosen for port 0.
  virtual const Endpoint& endpoint() const = 0;

  virtual ServerTraffic traffic() const = 0;
  virtual const RefusalCounters& refusals() const = 0;

  // Takes no more calls, lets present ones end within `grace`, then cancels them. Blocks for that
  // long, and until running handlers return.
  virtual void Stop(std::chrono::milliseconds grace) = 0;

 protected:
  Server() = default;
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_SERVER_H_
