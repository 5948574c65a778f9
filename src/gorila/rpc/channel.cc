#include "gorila/rpc/channel.h"

#include <grpcpp/create_channel.h>

#include <algorithm>
#include <utility>

#include "gorila/rpc/client_call.h"
#include "gorila/rpc/grpc_status.h"
#include "gorila/rpc/refusal.h"

namespace gorila::rpc {
namespace {

constexpr std::chrono::milliseconds kStopLook{50};

grpc::ChannelArguments MakeArguments(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  if (!options.endpoint.unix_socket) {
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  }
  // A server that is gone without a word is noticed within seconds, and found again soon after it
  // is back; gRPC's own backoff grows to two minutes.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // Also the time that one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  // A run talks to its own machines, whatever the environment says of proxies.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.tls.has_value()) {
    arguments.SetSslTargetNameOverride(CertificateName(options.role));
  }
  return arguments;
}

std::shared_ptr<grpc::Channel> Connect(const ChannelOptions& options) {
  return grpc::CreateCustomChannel(ToString(options.endpoint), MakeChannelCredentials(options.tls),
                                   MakeArguments(options));
}

}  // namespace

Channel::Channel(const ChannelOptions& options)
    : endpoint_(options.endpoint), identity_(options.identity), stub_(Connect(options)) {}

PendingCall Channel::Start(CallOptions options) {
  auto call = std::make_unique<ClientCall>(std::move(options));
  call->Start(stub_, identity_);
  return PendingCall(std::move(call));
}

PendingCall::PendingCall(std::unique_ptr<ClientCall> call) : call_(std::move(call)) {}
PendingCall::PendingCall(PendingCall&&) noexcept = default;
PendingCall::~PendingCall() {
  if (call_ == nullptr) return;
  call_->Cancel();
  call_->Wait({}).IgnoreError();
}

StatusOr<std::string> PendingCall::Wait(const StopPredicate& stop) { return call_->Wait(stop); }
void PendingCall::Cancel() { call_->Cancel(); }

void ClientCall::Start(grpc::GenericStub& stub, const RunIdentity& identity) {
  context_.set_deadline(std::chrono::system_clock::now() + options_.timeout);
  if (!identity.token.empty()) context_.AddMetadata(kTokenKey, identity.token);
  if (identity.layout.has_value()) context_.AddMetadata(kLayoutKey, LayoutText(*identity.layout));
  stub.PrepareBidiStreamingCall(&context_, "/" + options_.method, grpc::StubOptions(), this);
  Write();
  StartRead(&in_);
  StartCall();
}

void ClientCall::Write() {
  const std::size_t size = options_.payload == nullptr ? 0 : options_.payload->size();
  if (!header_sent_) {
    out_ = EncodeFirstPart(options_.header, size);
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
  const std::size_t size = options_.payload == nullptr ? 0 : options_.payload->size();
  if (ok && sent_ < size) Write();
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
  GORILA_ASSIGN_OR_RETURN(response_, DecodeFirstPart(in_));
  has_first_ = true;
  if (response_.payload_bytes == 0) return OkStatus();
  if (!options_.sink) return DataLoss("{}: a payload where none is expected", options_.method);
  GORILA_ASSIGN_OR_RETURN(rest_, options_.sink(response_.header, response_.payload_bytes));
  GORILA_CHECK(rest_.size() == response_.payload_bytes, "{} {}", rest_.size(),
               response_.payload_bytes);
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
  const MutexLock lock(mutex_);
  status_ = final_status;
  done_ = true;
  done_changed_.NotifyAll();
}

StatusOr<std::string> ClientCall::Wait(const StopPredicate& stop) {
  bool stopped = false;
  const MutexLock lock(mutex_);
  while (!done_) {
    if (!stop || stopped) {
      done_changed_.Wait(mutex_);
      continue;
    }
    const auto look = std::chrono::steady_clock::now() + kStopLook;
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
