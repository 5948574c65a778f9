#include "gorila/rpc/network.h"

#include <utility>

#include "gorila/rpc/security.h"

namespace gorila::rpc {

Network& Network::Current() {
  static GrpcNetwork grpc;
  return simulated_network == nullptr ? static_cast<Network&>(grpc) : *simulated_network;
}

Channel::Channel(const ChannelOptions& options)
    : endpoint_(options.endpoint), caller_(Network::Current().Connect(options)) {}

Channel::~Channel() = default;

bool Channel::SharesMemory() const { return caller_->SharesMemory(); }

PendingCall Channel::Start(CallOptions options) {
  return PendingCall(caller_->Start(std::move(options)));
}

PendingCall::~PendingCall() {
  if (call_ == nullptr) return;
  call_->Cancel();
  call_->Wait({}).IgnoreError();
}

StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                std::vector<Method> methods) {
  GORILA_RETURN_IF_ERROR(CheckExposure(options.listen, options.tls.has_value(), options.insecure));
  return Network::Current().Listen(options, std::move(methods));
}

}  // namespace gorila::rpc
