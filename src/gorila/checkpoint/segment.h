// Immutable pieces of replay: a byte string compressed with zstd behind a header that says what it
// is and how large it will be.
//
//   "GORILSEG", version (u32), kind (u64 length, bytes), raw size (u64), CRC-32 of the raw bytes
//   (u32), one zstd frame. Integers are little-endian.
#ifndef GORILA_CHECKPOINT_SEGMENT_H_
#define GORILA_CHECKPOINT_SEGMENT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

inline constexpr std::size_t kMaxSegmentRawSize = std::size_t{1} << 30;  // 1 GiB
inline constexpr int kDefaultSegmentLevel = 1;  // replay is written once and seldom read: be fast

// `kind` (at most 255 bytes) names the payload's format. `level`: zstd's, 1 (fast) to 19 (small).
// InvalidArgument for a level, kind or raw size out of range. Needs up to raw.size() more memory.
// Pure; thread-safe.
StatusOr<std::string> EncodeSegment(std::string_view kind, std::string_view raw,
                                    int level = kDefaultSegmentLevel);

// The raw bytes. DataLoss when `bytes` is not a whole, unaltered segment of this kind, or declares
// more than `max_raw_size` (or kMaxSegmentRawSize) bytes, which are refused before any is
// allocated. Pure; thread-safe.
StatusOr<std::string> DecodeSegment(std::string_view kind, std::string_view bytes,
                                    std::size_t max_raw_size);

}  // namespace gorila

#endif  // GORILA_CHECKPOINT_SEGMENT_H_
