// What carries calls between processes: gRPC, or in a simulation something that stands for it.
#ifndef GORILA_RPC_NETWORK_H_
#define GORILA_RPC_NETWORK_H_

#include <memory>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/rpc/channel.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/server.h"

namespace gorila::rpc {

// One side's connection to a server, behind a Channel. Thread-safe.
class Caller {
 public:
  virtual ~Caller() = default;
  // As Channel::Start().
  virtual std::unique_ptr<Call> Start(CallOptions options) = 0;
  // As Channel::SharesMemory().
  virtual bool SharesMemory() const = 0;
};

class Network {
 public:
  // That of the calling thread.
  static Network& Current();

  virtual ~Network() = default;
  virtual std::unique_ptr<Caller> Connect(const ChannelOptions& options) = 0;
  // As Server::Start().
  virtual StatusOr<std::unique_ptr<Server>> Listen(const ServerOptions& options,
                                                   std::vector<Method> methods) = 0;
};

// Null: gRPC.
inline constinit thread_local Network* simulated_network = nullptr;

// Processes that talk to each other by gRPC.
class GrpcNetwork final : public Network {
 public:
  std::unique_ptr<Caller> Connect(const ChannelOptions& options) override;
  StatusOr<std::unique_ptr<Server>> Listen(const ServerOptions& options,
                                           std::vector<Method> methods) override;
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_NETWORK_H_
