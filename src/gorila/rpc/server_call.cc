#include "gorila/rpc/server_call.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "gorila/rpc/grpc_status.h"

namespace gorila::rpc {

namespace {

grpc::Status CountAndMark(ServerState& server, const Status& status,
                          grpc::GenericCallbackServerContext& context) {
  if (const auto refusal = RefusalOf(status); refusal.has_value()) {
    server.refusals.Count(*refusal);
    context.AddTrailingMetadata(kRefusalKey, std::string(RefusalName(*refusal)));
  }
  return ToGrpc(status);
}

}  // namespace

RefusedCall::RefusedCall(ServerState& server, const Status& refusal,
                         grpc::GenericCallbackServerContext& context) {
  Finish(CountAndMark(server, refusal, context));
}

ServerCall::ServerCall(ServerState& server, const Method& method, std::string role,
                       grpc::GenericCallbackServerContext& context)
    : server_(server), method_(&method), role_(std::move(role)), context_(context) {
  StartRead(&in_);
}

ServerCall::~ServerCall() {
  server_.present_bytes.fetch_sub(reserved_bytes_);
  server_.admission->Release();
}

void ServerCall::OnReadDone(bool ok) {
  if (!ok) return EndOfRequest();
  const Status status = has_first_ ? ReadPiece() : ReadFirst();
  if (!status.ok()) return Fail(status);
  StartRead(&in_);
}

Status ServerCall::ReadFirst() {
  GORILA_ASSIGN_OR_RETURN(request_, DecodeFirstPart(in_));
  has_first_ = true;
  if (request_.payload_bytes > method_->max_payload_bytes) {
    return Refused(Refusal::kOversized, InvalidArgument("payload of {} bytes; {} takes at most {}",
                                                        request_.payload_bytes, method_->name,
                                                        method_->max_payload_bytes));
  }
  GORILA_RETURN_IF_ERROR(FindMemory());
  return request_.shared.payload ? OkStatus() : ReservePayload();
}

// Checks the places that the request names in shared memory.
Status ServerCall::FindMemory() {
  const SharedPlace& place = request_.shared;
  if (place.memory == 0 && !place.payload && place.room_bytes == 0) return OkStatus();
  memory_ = server_.memories.Find(place.memory);
  if (memory_ == nullptr) {
    // Unavailable: this may be a newer process, to which the caller will offer memory again.
    return Refused(Refusal::kMemory, Unavailable("shared memory {:x} is not known", place.memory));
  }
  const std::uint64_t size = memory_->bytes().size();
  const auto inside = [size](std::uint64_t begin, std::uint64_t bytes) {
    return begin % SharedMemory::kAlignment == 0 && begin <= size && bytes <= size - begin;
  };
  const std::uint64_t payload = place.payload ? request_.payload_bytes : 0;
  if (inside(place.payload_begin, payload) && inside(place.room_begin, place.room_bytes)) {
    received_ = payload;
    return OkStatus();
  }
  return Refused(Refusal::kMalformed,
                 InvalidArgument("shared memory of {} bytes: {} at {} and room for {} at {} do not "
                                 "fit in it, aligned to {}",
                                 size, payload, place.payload_begin, place.room_bytes,
                                 place.room_begin, SharedMemory::kAlignment));
}

Status ServerCall::ReservePayload() {
  // Before anything is allocated.
  const std::uint64_t present = server_.present_bytes.fetch_add(request_.payload_bytes);
  reserved_bytes_ = request_.payload_bytes;
  if (present + reserved_bytes_ > server_.options.max_bytes) {
    return Refused(Refusal::kBusy, absl::ResourceExhaustedError(fmt::format(
                                       "payloads of {} bytes are being received; at most {}",
                                       present, server_.options.max_bytes)));
  }
  payload_ = std::make_unique<Payload>(static_cast<std::size_t>(request_.payload_bytes));
  return OkStatus();
}

Status ServerCall::ReadPiece() {
  if (payload_ == nullptr) {
    return Refused(
        Refusal::kMalformed,
        InvalidArgument("malformed message: a piece of a payload that is in shared memory"));
  }
  GORILA_ASSIGN_OR_RETURN(const std::size_t size,
                          DecodePiece(in_, payload_->bytes().subspan(received_)));
  received_ += size;
  return OkStatus();
}

void ServerCall::EndOfRequest() {
  const bool whole = has_first_ && received_ == request_.payload_bytes;
  if (whole && !context_.IsCancelled()) {
    server_.bytes_received.fetch_add(static_cast<std::int64_t>(request_.header.size() + received_));
    server_.workers->Post([this] { Handle(); });
    return;
  }
  Fail(Refused(Refusal::kIncomplete,
               InvalidArgument("the request ended after {} of {} bytes of payload", received_,
                               has_first_ ? std::to_string(request_.payload_bytes) : "unknown")));
}

void ServerCall::Handle() {
  const std::span<const std::byte> payload =
      request_.shared.payload
          ? memory_->bytes().subspan(request_.shared.payload_begin, request_.payload_bytes)
          : payload_->bytes();
  const Request request{.header = request_.header,
                        .payload = payload,
                        .peer = context_.peer(),
                        .role = role_,
                        .deadline = context_.deadline(),
                        .cancelled = [this] { return context_.IsCancelled(); }};
  StatusOr<Response> response = method_->handle(request);
  if (!response.ok()) return Fail(response.status());
  response_ = *std::move(response);
  response_bytes_ = response_.payload == nullptr ? 0 : response_.payload->size();
  if (request_.shared.payload) server_.bytes_shared.fetch_add(std::ssize(payload));
  ShareResponse();
  if (request_.shared.one_part && sent_ < response_bytes_) {
    return Fail(
        Refused(Refusal::kShape,
                InvalidArgument("{} answers with {} bytes; the caller has room for {}",
                                method_->name, response_bytes_, request_.shared.room_bytes)));
  }
  Write();
}

// Puts the payload where the caller has room for it.
void ServerCall::ShareResponse() {
  if (response_bytes_ == 0 || response_bytes_ > request_.shared.room_bytes) return;
  std::memcpy(memory_->bytes().data() + request_.shared.room_begin,
              response_.payload->bytes().data(), response_bytes_);
  server_.bytes_shared.fetch_add(static_cast<std::int64_t>(response_bytes_));
  response_.payload = nullptr;  // so that its owner can change the data without copying it first
  response_place_.payload = true;
  sent_ = response_bytes_;
}

void ServerCall::Write() {
  if (!header_sent_) {
    out_ = EncodeFirstPart(response_.header, response_bytes_, response_place_);
    header_sent_ = true;
  } else {
    const std::size_t piece = std::min<std::size_t>(kPieceBytes, response_bytes_ - sent_);
    out_ = EncodePiece(response_.payload, sent_, piece);
    sent_ += piece;
  }
  if (sent_ < response_bytes_) return StartWrite(&out_);
  server_.bytes_sent.fetch_add(
      static_cast<std::int64_t>(response_.header.size() + response_bytes_));
  StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
}

void ServerCall::OnWriteDone(bool ok) {
  if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the caller is gone"));
  Write();
}

void ServerCall::Fail(const Status& status) { Finish(CountAndMark(server_, status, context_)); }

}  // namespace gorila::rpc
