#include "gorila/checkpoint/segment.h"

#include <zstd.h>

#include <algorithm>
#include <cstdint>

#include "gorila/base/file.h"
#include "gorila/base/serialise.h"

namespace gorila {
namespace {

constexpr std::uint64_t kMagic = 0x4745534c49524f47;  // "GORILSEG", little-endian
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMaxKindSize = 255;
constexpr int kMaxLevel = 19;  // above it zstd needs hundreds of MB to read back

struct Header {
  std::uint64_t raw_size = 0;
  std::uint32_t raw_crc32 = 0;
};

Status CheckArguments(std::string_view kind, std::size_t raw_size, int level) {
  if (kind.size() > kMaxKindSize) {
    return InvalidArgument("segment kind has {} bytes, at most {} are allowed", kind.size(),
                           kMaxKindSize);
  }
  if (raw_size > kMaxSegmentRawSize) {
    return InvalidArgument("segment of kind '{}' has {} raw bytes, at most {} are allowed", kind,
                           raw_size, kMaxSegmentRawSize);
  }
  if (level < 1 || level > kMaxLevel) {
    return InvalidArgument("segment compression level {}, expected 1 to {}", level, kMaxLevel);
  }
  return OkStatus();
}

std::string EncodeSegmentHeader(std::string_view kind, std::string_view raw) {
  StateWriter writer;
  writer.Write(kMagic);
  writer.Write(kVersion);
  writer.WriteString(kind);
  writer.Write<std::uint64_t>(raw.size());
  writer.Write(Crc32(raw));
  return writer.Take();
}

Status CheckFormat(StateReader& reader) {
  std::uint64_t magic = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(magic));
  if (magic != kMagic) return DataLoss("not a segment: begins with {:016x}", magic);
  std::uint32_t version = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(version));
  if (version != kVersion) {
    return DataLoss("segment version {}, this program reads {}", version, kVersion);
  }
  return OkStatus();
}

// Takes the header off `bytes`.
StatusOr<Header> DecodeHeader(std::string_view kind, std::string_view& bytes) {
  StateReader reader(bytes);
  GORILA_RETURN_IF_ERROR(CheckFormat(reader));
  std::string found_kind;
  Header header;
  GORILA_RETURN_IF_ERROR(reader.ReadString(found_kind));
  GORILA_RETURN_IF_ERROR(reader.Read(header.raw_size));
  GORILA_RETURN_IF_ERROR(reader.Read(header.raw_crc32));
  if (found_kind != kind) {
    return DataLoss("the segment's kind is '{}', expected '{}'", found_kind, kind);
  }
  bytes.remove_prefix(bytes.size() - reader.remaining());
  return header;
}

StatusOr<std::string> Decompress(std::string_view frame, std::size_t raw_size) {
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != raw_size) {
    return DataLoss("segment header says {} raw bytes, its zstd frame does not", raw_size);
  }
  std::string raw(raw_size, '\0');
  const std::size_t size = ZSTD_decompress(raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(size)) return DataLoss("segment: zstd: {}", ZSTD_getErrorName(size));
  return raw;
}

}  // namespace

StatusOr<std::string> EncodeSegment(std::string_view kind, std::string_view raw, int level) {
  GORILA_RETURN_IF_ERROR(CheckArguments(kind, raw.size(), level));
  std::string bytes = EncodeSegmentHeader(kind, raw);
  const std::size_t header_size = bytes.size();
  bytes.resize(header_size + ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compress(bytes.data() + header_size, bytes.size() - header_size,
                                         raw.data(), raw.size(), level);
  if (ZSTD_isError(size)) {
    return absl::ResourceExhaustedError(
        fmt::format("segment of kind '{}': zstd: {}", kind, ZSTD_getErrorName(size)));
  }
  bytes.resize(header_size + size);
  return bytes;
}

StatusOr<std::string> DecodeSegment(std::string_view kind, std::string_view bytes,
                                    std::size_t max_raw_size) {
  GORILA_ASSIGN_OR_RETURN(const Header header, DecodeHeader(kind, bytes));
  const std::size_t limit = std::min(max_raw_size, kMaxSegmentRawSize);
  if (header.raw_size > limit) {
    return DataLoss("segment has {} raw bytes, at most {} are allowed", header.raw_size, limit);
  }
  GORILA_ASSIGN_OR_RETURN(std::string raw, Decompress(bytes, header.raw_size));
  if (const std::uint32_t crc32 = Crc32(raw); crc32 != header.raw_crc32) {
    return DataLoss("segment has CRC-32 {:08x}, its header says {:08x}", crc32, header.raw_crc32);
  }
  return raw;
}

}  // namespace gorila
