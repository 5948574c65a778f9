// The parts that a call's stream is made of (proto/gorila/v1/transport.proto), written and read
// without copying their payload more than once.
#ifndef GORILA_RPC_PART_H_
#define GORILA_RPC_PART_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/rpc/payload.h"

namespace gorila::rpc {

inline constexpr std::size_t kMaxHeaderBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxPieceBytes = std::size_t{1} << 20;
// What this side sends at once: larger and smaller pieces were slower over loopback.
inline constexpr std::size_t kPieceBytes = std::size_t{512} << 10;
// How much a TCP stream may have in flight before it is read. Fixed, because gRPC's own estimate
// (its BDP probe) cost a quarter of the rate over loopback; Unix sockets are faster with it.
inline constexpr int kWindowBytes = 4 << 20;
// gRPC refuses larger messages before anything here sees them.
inline constexpr int kMaxMessageBytes = 4 << 20;

// Where a call's payloads are in shared memory.
struct SharedPlace {
  std::uint64_t memory = 0;  // the server's number; 0: none
  bool payload = false;      // the payload is in shared memory, and no pieces follow
  // Offsets in bytes. The room is where the server may put the response's payload.
  std::uint64_t payload_begin = 0;
  std::uint64_t room_begin = 0;
  std::uint64_t room_bytes = 0;
  bool one_part = false;  // the response must not have pieces: its payload fits the room
};

struct FirstPart {
  std::string header;
  std::uint64_t payload_bytes = 0;
  SharedPlace shared = {};
};

grpc::ByteBuffer EncodeFirstPart(std::string_view header, std::uint64_t payload_bytes,
                                 const SharedPlace& shared = {});

// Bytes begin .. begin + size - 1 of `payload`, which the buffer keeps alive and does not copy
// unless they are borrowed.
grpc::ByteBuffer EncodePiece(const std::shared_ptr<const Payload>& payload, std::size_t begin,
                             std::size_t size);

// InvalidArgument (malformed or oversized) otherwise.
StatusOr<FirstPart> DecodeFirstPart(const grpc::ByteBuffer& buffer);

// Copies a piece to the beginning of `rest`, the room that is left, and gives its size. The same
// errors; then `rest` may have been written to.
StatusOr<std::size_t> DecodePiece(const grpc::ByteBuffer& buffer, std::span<std::byte> rest);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_PART_H_
