// A client's call in progress. Only for grpc_channel.cc.
#ifndef GORILA_RPC_CLIENT_CALL_H_
#define GORILA_RPC_CLIENT_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "gorila/base/mutex.h"
#include "gorila/rpc/channel.h"
#include "gorila/rpc/memory_pool.h"
#include "gorila/rpc/part.h"

namespace gorila::rpc {

// Writes the request and reads the response, both at once. gRPC runs the callbacks in its own
// threads: reads follow each other, and so do writes. Where neither has pieces, one message goes
// each way in a unary call: that wakes gRPC's threads half as often.
class ClientCall final : public Call,
                         public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit ClientCall(CallOptions options) : options_(std::move(options)) {}

  // Once. `identity` may go away after. `pool` may be null.
  void Start(grpc::GenericStub& stub, const RunIdentity& identity,
             std::shared_ptr<MemoryPool> pool);
  void Cancel() override { context_.TryCancel(); }
  // Blocks until gRPC is done; cancels when `stop`.
  StatusOr<std::string> Wait(const StopPredicate& stop) override GORILA_EXCLUDES(mutex_);
  bool done() const override GORILA_EXCLUDES(mutex_);

  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override GORILA_EXCLUDES(mutex_);

 private:
  std::size_t payload_size() const {
    return options_.payload == nullptr ? 0 : options_.payload->size();
  }
  void Borrow();
  bool IsUnary() const;
  void EndUnary(const grpc::Status& status);
  void Write();
  Status Read();
  Status ReadFirst();
  Status FinalStatus(const grpc::Status& status) const;

  const CallOptions options_;
  grpc::ClientContext context_;
  std::shared_ptr<MemoryPool> pool_;
  std::optional<LentMemory> memory_;  // until the call is done
  SharedPlace place_;                 // in it

  // Used by the writing side.
  grpc::ByteBuffer out_;
  std::size_t sent_ = 0;  // bytes of payload
  bool header_sent_ = false;

  // Used by the reading side; others read it once the call is done.
  grpc::ByteBuffer in_;
  bool has_first_ = false;
  FirstPart response_;
  std::span<std::byte> rest_;  // of the payload's destination
  Status read_error_;          // why the response is of no use

  mutable Mutex mutex_;
  CondVar done_changed_;
  bool done_ GORILA_GUARDED_BY(mutex_) = false;
  Status status_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_CLIENT_CALL_H_
