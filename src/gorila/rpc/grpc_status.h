// Between our errors and gRPC's, whose codes are the same.
#ifndef GORILA_RPC_GRPC_STATUS_H_
#define GORILA_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "gorila/base/status.h"

namespace gorila::rpc {

inline grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // A peer has no use for megabytes of message, and metadata is limited.
  constexpr std::size_t kMaxMessage = 1000;
  return {static_cast<grpc::StatusCode>(status.code()),
          std::string(status.message().substr(0, kMaxMessage))};
}

inline Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return OkStatus();
  return Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace gorila::rpc

#endif  // GORILA_RPC_GRPC_STATUS_H_
