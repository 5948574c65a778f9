// A call in progress on a server. Only for grpc_server.cc.
#ifndef GORILA_RPC_SERVER_CALL_H_
#define GORILA_RPC_SERVER_CALL_H_

#include <grpcpp/generic/async_generic_service.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "gorila/rpc/admission.h"
#include "gorila/rpc/gate.h"
#include "gorila/rpc/memory_registry.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/part.h"
#include "gorila/rpc/server.h"
#include "gorila/rpc/worker_pool.h"

namespace gorila::rpc {

// What the calls of a server share.
struct ServerState {
  explicit ServerState(const ServerOptions& server_options)
      : options(server_options), memories(server_options.max_bytes) {}

  const ServerOptions options;
  MemoryRegistry memories;
  RefusalCounters refusals;
  std::atomic<std::int64_t> calls{0};
  std::atomic<std::int64_t> bytes_received{0};
  std::atomic<std::int64_t> bytes_sent{0};
  std::atomic<std::int64_t> bytes_shared{0};
  std::atomic<std::uint64_t> present_bytes{0};  // of payloads being received or handled
  std::unique_ptr<Admission> admission;
  std::unique_ptr<WorkerPool> workers;
  std::unique_ptr<Gate> gate;
};

// Ends a call that is not admitted: nothing is read, and no place is taken.
class RefusedCall final : public grpc::ServerGenericBidiReactor {
 public:
  RefusedCall(ServerState& server, const Status& refusal,
              grpc::GenericCallbackServerContext& context);

  void OnDone() override { delete this; }
};

// Reads the whole request, has a worker handle it, writes the response. Deletes itself when gRPC is
// done with it. gRPC never runs two of its callbacks at once here, because the next operation only
// starts when the one before has ended.
class ServerCall final : public grpc::ServerGenericBidiReactor {
 public:
  // The place of an admitted call among the present calls; released when the call ends.
  ServerCall(ServerState& server, const Method& method, std::string role,
             grpc::GenericCallbackServerContext& context);
  ~ServerCall() override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  Status ReadFirst();
  Status FindMemory();
  Status ReservePayload();
  Status ReadPiece();
  void EndOfRequest();
  void Handle();
  void ShareResponse();
  void Write();
  void Fail(const Status& status);

  ServerState& server_;
  const Method* const method_;
  const std::string role_;
  grpc::GenericCallbackServerContext& context_;

  grpc::ByteBuffer in_;
  bool has_first_ = false;
  FirstPart request_;
  std::shared_ptr<SharedMemory> memory_;  // of the request; null: none
  std::unique_ptr<Payload> payload_;      // null when the payload is in shared memory
  std::size_t received_ = 0;              // bytes of payload
  std::uint64_t reserved_bytes_ = 0;

  grpc::ByteBuffer out_;
  Response response_;
  std::uint64_t response_bytes_ = 0;  // of payload
  SharedPlace response_place_;
  bool header_sent_ = false;
  std::size_t sent_ = 0;  // bytes of payload
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_SERVER_CALL_H_
