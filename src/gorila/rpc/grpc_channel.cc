#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "gorila/rpc/client_call.h"
#include "gorila/rpc/grpc_status.h"
#include "gorila/rpc/memory_pool.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/network.h"
#include "gorila/rpc/own_address.h"
#include "gorila/rpc/refusal.h"
#include "gorila/v1/transport.pb.h"

namespace gorila::rpc {
namespace {

constexpr std::chrono::milliseconds kCallLook{50};
constexpr std::chrono::milliseconds kOfferTimeout{10'000};
// Smaller payloads are just as fast through the socket.
constexpr std::uint64_t kLeastShared = std::uint64_t{64} << 10;

grpc::ChannelArguments MakeArguments(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  if (!options.endpoint.unix_socket) {
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  }
  // Notices within seconds that a server vanished, and finds it soon after it returns; gRPC's own
  // backoff grows to two minutes.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // Also the time that one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  // A run talks to its own machines, so proxies from the environment are ignored.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.tls.has_value()) {
    arguments.SetSslTargetNameOverride(CertificateName(options.role));
  }
  return arguments;
}

std::shared_ptr<grpc::Channel> MakeChannel(const ChannelOptions& options) {
  return grpc::CreateCustomChannel(ToString(options.endpoint), MakeChannelCredentials(options.tls),
                                   MakeArguments(options));
}

class GrpcCaller final : public Caller {
 public:
  explicit GrpcCaller(const ChannelOptions& options)
      : server_(options.endpoint), identity_(options.identity), stub_(MakeChannel(options)) {
    if (!options.shared_memory) return;
    pool_ = std::make_shared<MemoryPool>(
        options.endpoint, [this](const SharedMemoryTicket& ticket) { return Offer(ticket); });
  }

  std::unique_ptr<Call> Start(CallOptions options) override {
    auto call = std::make_unique<ClientCall>(std::move(options));
    call->Start(stub_, identity_, pool_);
    return call;
  }

  bool SharesMemory() const override { return pool_ != nullptr && IsOwnEndpoint(server_); }

 private:
  PendingCall Offer(const SharedMemoryTicket& ticket) {
    v1::ShareRequest offer;
    offer.set_process(ticket.process);
    offer.set_file_descriptor(ticket.descriptor);
    offer.set_bytes(ticket.bytes);
    offer.set_secret(ticket.secret);
    auto call = std::make_unique<ClientCall>(CallOptions{
        .method = kShareMethod, .header = offer.SerializeAsString(), .timeout = kOfferTimeout});
    call->Start(stub_, identity_, nullptr);
    return PendingCall(std::move(call));
  }

  const Endpoint server_;
  const RunIdentity identity_;
  grpc::GenericStub stub_;
  std::shared_ptr<MemoryPool> pool_;  // null: none
};

}  // namespace

std::unique_ptr<Caller> GrpcNetwork::Connect(const ChannelOptions& options) {
  return std::make_unique<GrpcCaller>(options);
}

void ClientCall::Start(grpc::GenericStub& stub, const RunIdentity& identity,
                       std::shared_ptr<MemoryPool> pool) {
  pool_ = std::move(pool);
  Borrow();
  context_.set_deadline(std::chrono::system_clock::now() + options_.timeout);
  if (!identity.token.empty()) context_.AddMetadata(kTokenKey, identity.token);
  if (identity.layout.has_value()) context_.AddMetadata(kLayoutKey, LayoutText(*identity.layout));
  const std::string path = "/" + options_.method;
  if (IsUnary()) {
    place_.one_part = true;
    out_ = EncodeFirstPart(options_.header, sent_, place_);
    stub.UnaryCall(&context_, path, grpc::StubOptions(), &out_, &in_,
                   [this](const grpc::Status& status) { EndUnary(status); });
    return;
  }
  stub.PrepareBidiStreamingCall(&context_, path, grpc::StubOptions(), this);
  Write();
  StartRead(&in_);
  StartCall();
}

// Puts the payload into shared memory, with room for the response after it, if there is any.
void ClientCall::Borrow() {
  const std::size_t size = payload_size();
  if (pool_ == nullptr || std::max<std::uint64_t>(size, options_.expected_bytes) < kLeastShared)
    return;
  const std::uint64_t room_begin =
      (size + SharedMemory::kAlignment - 1) / SharedMemory::kAlignment * SharedMemory::kAlignment;
  memory_ = pool_->Take(room_begin + options_.expected_bytes);
  if (!memory_.has_value()) return;
  place_ = {.memory = memory_->number,
            .payload = size > 0,
            .payload_begin = 0,
            .room_begin = room_begin,
            .room_bytes = options_.expected_bytes};
  if (size > 0) {
    std::memcpy(memory_->memory->bytes().data(), options_.payload->bytes().data(), size);
    sent_ = size;
  }
}

// Whether pieces are unnecessary: the payload is empty or in shared memory.
bool ClientCall::IsUnary() const {
  const bool whole_request = sent_ == payload_size();
  const bool whole_response = !options_.sink || place_.room_bytes > 0;
  return whole_request && whole_response;
}

void ClientCall::EndUnary(const grpc::Status& status) {
  if (status.ok()) read_error_ = ReadFirst();
  OnDone(status);
}

void ClientCall::Write() {
  const std::size_t size = payload_size();
  if (!header_sent_) {
    out_ = EncodeFirstPart(options_.header, size, place_);
    header_sent_ = true;
  } else {
    const std::size_t piece = std::min(kPieceBytes, size - sent_);
    out_ = EncodePiece(options_.payload, sent_, piece);
    sent_ += piece;
  }
  if (sent_ < size) {
    StartWrite(&out_);
  } else {
    StartWriteLast(&out_, grpc::WriteOptions());
  }
}

void ClientCall::OnWriteDone(bool ok) {
  if (ok && sent_ < payload_size()) Write();
}

void ClientCall::OnReadDone(bool ok) {
  if (!ok) return;
  read_error_ = Read();
  if (read_error_.ok()) {
    StartRead(&in_);
  } else {
    context_.TryCancel();
  }
}

Status ClientCall::Read() {
  if (has_first_) {
    GORILA_ASSIGN_OR_RETURN(const std::size_t size, DecodePiece(in_, rest_));
    rest_ = rest_.subspan(size);
    return OkStatus();
  }
  return ReadFirst();
}

Status ClientCall::ReadFirst() {
  GORILA_ASSIGN_OR_RETURN(response_, DecodeFirstPart(in_));
  has_first_ = true;
  if (response_.payload_bytes == 0) return OkStatus();
  if (!options_.sink) return DataLoss("{}: a payload where none is expected", options_.method);
  GORILA_ASSIGN_OR_RETURN(rest_, options_.sink(response_.header, response_.payload_bytes));
  GORILA_CHECK(rest_.size() == response_.payload_bytes, "{} {}", rest_.size(),
               response_.payload_bytes);
  if (!response_.shared.payload) return OkStatus();
  if (!memory_.has_value() || rest_.size() > place_.room_bytes) {
    return DataLoss("{}: the response's payload does not fit in the shared memory that was offered",
                    options_.method);
  }
  std::memcpy(rest_.data(), memory_->memory->bytes().data() + place_.room_begin, rest_.size());
  rest_ = {};
  return OkStatus();
}

Status ClientCall::FinalStatus(const grpc::Status& status) const {
  if (!read_error_.ok()) return read_error_;
  if (status.ok() && has_first_ && rest_.empty()) return OkStatus();
  if (status.ok()) return Unavailable("{}: the response ended too early", options_.method);
  Status error = FromGrpc(status);
  const auto& trailing = context_.GetServerTrailingMetadata();
  if (const auto found = trailing.find(kRefusalKey); found != trailing.end()) {
    const auto refusal = FindRefusal({found->second.data(), found->second.size()});
    if (refusal.has_value()) return Refused(*refusal, std::move(error));
  }
  return error;
}

void ClientCall::OnDone(const grpc::Status& status) {
  const Status final_status = FinalStatus(status);
  if (memory_.has_value() && final_status.ok()) {
    pool_->Return(*std::move(memory_));
    memory_ = std::nullopt;
  }
  if (pool_ != nullptr && !final_status.ok()) pool_->Abandon();
  const MutexLock lock(mutex_);
  status_ = final_status;
  done_ = true;
  done_changed_.NotifyAll();
}

bool ClientCall::done() const {
  const MutexLock lock(mutex_);
  return done_;
}

StatusOr<std::string> ClientCall::Wait(const StopPredicate& stop) {
  bool stopped = false;
  const MutexLock lock(mutex_);
  while (!done_) {
    if (!stop || stopped) {
      done_changed_.Wait(mutex_);
      continue;
    }
    const auto look = std::chrono::steady_clock::now() + kCallLook;
    if (done_changed_.WaitUntil(mutex_, look) || done_) continue;
    if (stop()) {
      stopped = true;
      context_.TryCancel();
    }
  }
  if (!status_.ok() && stopped) return absl::CancelledError("stopped during a call");
  if (!status_.ok()) return status_;
  return std::move(response_.header);
}

}  // namespace gorila::rpc
