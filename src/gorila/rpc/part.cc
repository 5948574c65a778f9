#include "gorila/rpc/part.h"

#include <grpcpp/support/slice.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "gorila/rpc/refusal.h"
#include "gorila/v1/transport.pb.h"

namespace gorila::rpc {
namespace {

// A protobuf tag: field number and wire type 2, length-delimited.
constexpr unsigned char kPayloadTag = (v1::Part::kPayloadFieldNumber << 3) | 2;
constexpr std::size_t kMaxVarint = 10;

grpc::Slice PieceHead(std::size_t size) {
  std::array<unsigned char, 1 + kMaxVarint> head{};
  std::size_t length = 0;
  head[length++] = kPayloadTag;
  for (; size >= 0x80; size >>= 7) head[length++] = static_cast<unsigned char>(size | 0x80);
  head[length++] = static_cast<unsigned char>(size);
  return {head.data(), length};
}

Status MalformedMessage(std::string_view what) {
  return Refused(Refusal::kMalformed, InvalidArgument("malformed message: {}", what));
}

Status Oversized(std::string_view what, std::uint64_t given, std::uint64_t most) {
  return Refused(Refusal::kOversized,
                 InvalidArgument("{} has {} bytes; expected at most {}", what, given, most));
}

// The bytes of several slices as one stream.
class SliceReader {
 public:
  // Refers to `slices`.
  explicit SliceReader(const std::vector<grpc::Slice>& slices) : slices_(slices) {}

  // Copies the next `size` bytes; false when there are fewer.
  bool Read(std::byte* destination, std::size_t size) {
    while (size > 0) {
      if (slice_ == slices_.size()) return false;
      const grpc::Slice& slice = slices_[slice_];
      const std::size_t part = std::min(size, slice.size() - offset_);
      if (part > 0) std::memcpy(destination, slice.begin() + offset_, part);
      destination += part;
      size -= part;
      offset_ += part;
      if (offset_ == slice.size()) {
        ++slice_;
        offset_ = 0;
      }
    }
    return true;
  }

  // A varint below 2^63; false for anything else.
  bool ReadVarint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      std::byte byte{};
      if (!Read(&byte, 1)) return false;
      value |= (std::to_integer<std::uint64_t>(byte) & 0x7f) << shift;
      if ((byte & std::byte{0x80}) == std::byte{0}) return true;
    }
    return false;
  }

 private:
  const std::vector<grpc::Slice>& slices_;
  std::size_t slice_ = 0;
  std::size_t offset_ = 0;
};

StatusOr<std::vector<grpc::Slice>> SlicesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return MalformedMessage("its bytes cannot be read");
  return slices;
}

}  // namespace

grpc::ByteBuffer EncodeFirstPart(std::string_view header, std::uint64_t payload_bytes,
                                 const SharedPlace& shared) {
  v1::Part part;
  part.set_header(header.data(), header.size());
  part.set_payload_bytes(payload_bytes);
  part.set_memory(shared.memory);
  part.set_payload_shared(shared.payload);
  part.set_payload_begin(shared.payload_begin);
  part.set_room_begin(shared.room_begin);
  part.set_room_bytes(shared.room_bytes);
  part.set_one_part(shared.one_part);
  const grpc::Slice slice(part.SerializeAsString());
  return {&slice, 1};
}

namespace {

grpc::Slice BytesSlice(const std::shared_ptr<const Payload>& payload, std::size_t begin,
                       std::size_t size) {
  if (payload->borrowed()) return {payload->bytes().data() + begin, size};
  // The slice owns a reference to the payload for as long as the transport holds it.
  auto* const reference = new std::shared_ptr<const Payload>(payload);
  const auto release = [](void* shared) {
    delete static_cast<std::shared_ptr<const Payload>*>(shared);
  };
  // gRPC takes void* but does not write to what is sent.
  auto* const data = const_cast<std::byte*>(payload->bytes().data() + begin);
  return {data, size, release, reference};
}

}  // namespace

grpc::ByteBuffer EncodePiece(const std::shared_ptr<const Payload>& payload, std::size_t begin,
                             std::size_t size) {
  const std::array<grpc::Slice, 2> slices = {PieceHead(size), BytesSlice(payload, begin, size)};
  return {slices.data(), slices.size()};
}

StatusOr<FirstPart> DecodeFirstPart(const grpc::ByteBuffer& buffer) {
  constexpr std::size_t kMost = kMaxHeaderBytes + 8 * (1 + kMaxVarint);  // with all numbers
  if (buffer.Length() > kMost)
    return Oversized("a call's header", buffer.Length(), kMaxHeaderBytes);
  GORILA_ASSIGN_OR_RETURN(const std::vector<grpc::Slice> slices, SlicesOf(buffer));
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  v1::Part part;
  if (!part.ParseFromString(bytes)) return MalformedMessage("the first part is not a Part");
  if (!part.payload().empty()) return MalformedMessage("the first part has a payload");
  return FirstPart{.header = std::move(*part.mutable_header()),
                   .payload_bytes = part.payload_bytes(),
                   .shared = {.memory = part.memory(),
                              .payload = part.payload_shared(),
                              .payload_begin = part.payload_begin(),
                              .room_begin = part.room_begin(),
                              .room_bytes = part.room_bytes(),
                              .one_part = part.one_part()}};
}

StatusOr<std::size_t> DecodePiece(const grpc::ByteBuffer& buffer, std::span<std::byte> rest) {
  if (buffer.Length() > kMaxPieceBytes + 1 + kMaxVarint) {
    return Oversized("a piece of a payload", buffer.Length(), kMaxPieceBytes);
  }
  GORILA_ASSIGN_OR_RETURN(const std::vector<grpc::Slice> slices, SlicesOf(buffer));
  SliceReader reader(slices);
  std::byte tag{};
  std::uint64_t size = 0;
  if (!reader.Read(&tag, 1) || std::to_integer<unsigned char>(tag) != kPayloadTag ||
      !reader.ReadVarint(size) || size == 0) {
    return MalformedMessage("a later part is not a piece of payload");
  }
  if (size > rest.size()) {
    return Refused(Refusal::kOversized,
                   InvalidArgument("payload has more bytes than announced: {} left, piece of {}",
                                   rest.size(), size));
  }
  if (!reader.Read(rest.data(), size)) return MalformedMessage("a piece of payload is cut short");
  std::byte excess{};
  if (reader.Read(&excess, 1))
    return MalformedMessage("a piece of payload is followed by other bytes");
  return static_cast<std::size_t>(size);
}

}  // namespace gorila::rpc
