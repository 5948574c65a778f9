#include "gorila/rpc/call_opening.h"

#include <optional>

#include "gorila/rpc/refusal.h"
#include "gorila/rpc/run_identity.h"

namespace gorila::rpc {
namespace {

using namespace std::string_view_literals;
using Kind = CallOpening::Kind;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kFrameHeader = 9;
static_assert(kAcknowledgementBytes == kFrameHeader);

// As much as the metadata of a call may be, which gRPC only heeds from a connection's second call.
constexpr std::size_t kMaxFrameBytes = kMaxOpeningBytes / 2;

// Frame types and flags.
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kPriority = 2;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kPing = 6;
constexpr std::uint8_t kGoAway = 7;
constexpr std::uint8_t kWindowUpdate = 8;
constexpr std::uint8_t kAckFlag = 1;
constexpr std::uint8_t kEndStreamFlag = 1;
constexpr std::uint8_t kEndHeadersFlag = 4;
constexpr std::uint8_t kPaddedFlag = 8;
constexpr std::uint8_t kPriorityFlag = 0x20;

std::uint32_t Byte(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value = (value << 8) | Byte(bytes, i);
  return value;
}

struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string_view payload = {};

  bool Has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

// Walks through a compressed header block without HPACK's tables: it reads only fields whose names
// are spelled out, as clients send a field of their own the first time.
class HeaderBlock {
 public:
  explicit HeaderBlock(std::string_view bytes) : rest_(bytes) {}

  // The value of the field `wanted`, or empty; nothing when the block is malformed.
  std::optional<std::string_view> Find(std::string_view wanted) {
    std::string_view found;
    while (!rest_.empty()) {
      const std::uint32_t first = Byte(rest_, 0);
      const bool indexed = (first & 0x80) != 0;
      const bool table_size = (first & 0xe0) == 0x20;
      if (indexed || table_size) {
        if (!Integer(indexed ? 7 : 5).has_value()) return std::nullopt;
        continue;
      }
      const auto name_index = Integer((first & 0x40) != 0 ? 6 : 4);
      if (!name_index.has_value()) return std::nullopt;
      const auto name = *name_index == 0 ? String() : std::optional(""sv);
      if (!name.has_value()) return std::nullopt;
      const auto value = String();
      if (!value.has_value()) return std::nullopt;
      if (*name == wanted) found = *value;
    }
    return found;
  }

 private:
  std::optional<std::uint32_t> Integer(int prefix_bits) {
    if (rest_.empty()) return std::nullopt;
    const std::uint32_t most = (1U << prefix_bits) - 1;
    std::uint32_t value = Byte(rest_, 0) & most;
    rest_.remove_prefix(1);
    if (value < most) return value;
    for (int shift = 0; shift <= 21 && !rest_.empty(); shift += 7) {
      const std::uint32_t next = Byte(rest_, 0);
      rest_.remove_prefix(1);
      value += (next & 0x7f) << shift;
      if ((next & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  // As it was sent: gRPC's own clients do not use Huffman's code for text.
  std::optional<std::string_view> String() {
    const auto size = Integer(7);
    if (!size.has_value() || *size > rest_.size()) return std::nullopt;
    const std::string_view text = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return text;
  }

  std::string_view rest_;
};

// The fields of a HEADERS frame without padding and priority; nullopt when it is malformed or
// continues in other frames, which our calls are too small to need.
std::optional<std::string_view> FieldsOf(const Frame& frame) {
  if (!frame.Has(kEndHeadersFlag) || frame.stream == 0) return std::nullopt;
  std::string_view fields = frame.payload;
  std::size_t padding = 0;
  if (frame.Has(kPaddedFlag)) {
    if (fields.empty()) return std::nullopt;
    padding = Byte(fields, 0);
    fields.remove_prefix(1);
  }
  const std::size_t priority = frame.Has(kPriorityFlag) ? 5 : 0;
  if (fields.size() < priority + padding) return std::nullopt;
  return fields.substr(priority, fields.size() - priority - padding);
}

CallOpening ReadHeaders(const Frame& frame, CallOpening opening) {
  opening.kind = Kind::kForeign;
  const auto fields = FieldsOf(frame);
  if (!fields.has_value()) return opening;
  const auto token = HeaderBlock(*fields).Find(kTokenKey);
  if (!token.has_value()) return opening;
  opening.kind = Kind::kCall;
  opening.stream = frame.stream;
  opening.token = *token;
  return opening;
}

bool MayPrecedeHeaders(std::uint8_t type) {
  return type == kSettings || type == kWindowUpdate || type == kPing || type == kPriority;
}

void AppendBigEndian(std::string& bytes, std::uint32_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

void AppendFrame(std::string& bytes, const Frame& frame) {
  AppendBigEndian(bytes, static_cast<std::uint32_t>(frame.payload.size()), 3);
  AppendBigEndian(bytes, frame.type, 1);
  AppendBigEndian(bytes, frame.flags, 1);
  AppendBigEndian(bytes, frame.stream, 4);
  bytes.append(frame.payload);
}

// A field that is spelled out; name and value of less than 127 characters.
void AppendField(std::string& fields, std::string_view name, std::string_view value) {
  fields.push_back('\0');
  for (const std::string_view text : {name, value}) {
    fields.push_back(static_cast<char>(text.size()));
    fields.append(text);
  }
}

// As gRPC has messages in its metadata, cut to what a field here may have.
std::string PercentEncoded(std::string_view text) {
  constexpr std::size_t kMost = 120;
  std::string encoded;
  for (const char c : text) {
    const bool plain = c >= ' ' && c <= '~' && c != '%';
    const std::string next =
        plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    if (encoded.size() + next.size() > kMost) break;
    encoded += next;
  }
  return encoded;
}

}  // namespace

CallOpening ReadCallOpening(std::string_view bytes) {
  CallOpening opening;
  if (bytes.substr(0, kPreface.size()) != kPreface.substr(0, bytes.size())) {
    opening.kind = Kind::kForeign;
    return opening;
  }
  for (std::size_t at = kPreface.size(); bytes.size() >= at + kFrameHeader;) {
    const std::string_view header = bytes.substr(at, kFrameHeader);
    const std::size_t size = BigEndian(header.substr(0, 3));
    Frame frame{.type = static_cast<std::uint8_t>(header[3]),
                .flags = static_cast<std::uint8_t>(header[4]),
                .stream = BigEndian(header.substr(5)) & 0x7fffffffU};
    if ((frame.type != kHeaders && !MayPrecedeHeaders(frame.type)) || size > kMaxFrameBytes) {
      opening.kind = Kind::kForeign;
      return opening;
    }
    if (bytes.size() - at - kFrameHeader < size) break;
    frame.payload = bytes.substr(at + kFrameHeader, size);
    if (frame.type == kHeaders) return ReadHeaders(frame, opening);
    if (frame.type == kSettings && frame.Has(kAckFlag) && size == 0) opening.acknowledgement = at;
    at += kFrameHeader + size;
  }
  return opening;
}

std::string_view OpeningSettings() { return "\0\0\0\x04\0\0\0\0\0"sv; }

std::string EncodeRefusal(std::uint32_t stream, const Status& status) {
  GORILA_CHECK(!status.ok(), "a refusal is an error");
  std::string fields = "\x88";  // :status 200
  AppendField(fields, "content-type", "application/grpc");
  AppendField(fields, "grpc-status", std::to_string(static_cast<int>(status.code())));
  AppendField(fields, "grpc-message", PercentEncoded(std::string(status.message())));
  if (const auto refusal = RefusalOf(status); refusal.has_value()) {
    AppendField(fields, kRefusalKey, RefusalName(*refusal));
  }
  std::string last;
  AppendBigEndian(last, stream, 4);
  AppendBigEndian(last, 0, 4);  // no error
  std::string bytes;
  AppendFrame(bytes, {.type = kHeaders,
                      .flags = kEndHeadersFlag | kEndStreamFlag,
                      .stream = stream,
                      .payload = fields});
  AppendFrame(bytes, {.type = kGoAway, .payload = last});
  return bytes;
}

}  // namespace gorila::rpc
