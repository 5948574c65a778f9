#include "gorila/checkpoint/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <zstd.h>

#include "gorila/base/file.h"
#include "gorila/base/random.h"
#include "gorila/base/serialise.h"

namespace gorila {
namespace {

using testing::HasSubstr;

constexpr std::size_t kLimit = std::size_t{1} << 24;

// Half noise and half runs, so that zstd makes both raw and compressed blocks.
std::string Payload(std::size_t size) {
  RandomStream random(size);
  std::string bytes(size, 'a');
  for (std::size_t i = 0; i < size / 2; ++i) bytes[i] = static_cast<char>(random.NextBits());
  return bytes;
}

// The file format, written here once more from its description.
std::string SegmentOf(std::uint32_t version, std::uint64_t raw_size, std::string_view raw,
                      std::string_view frame) {
  StateWriter writer;
  writer.WriteString("kind");
  writer.Write(raw_size);
  writer.Write(Crc32(raw));
  std::string header = "GORILSEG";
  header.append(reinterpret_cast<const char*>(&version), sizeof version);
  return header + writer.bytes() + std::string(frame);
}

std::string Frame(std::string_view raw) {
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), 3));
  return frame;
}

void ExpectDataLoss(std::string_view bytes, std::size_t limit, const std::string& message) {
  const auto raw = DecodeSegment("kind", bytes, limit);
  ASSERT_FALSE(raw.ok());
  EXPECT_EQ(raw.status().code(), absl::StatusCode::kDataLoss) << raw.status();
  EXPECT_THAT(std::string(raw.status().message()), HasSubstr(message));
}

TEST(SegmentTest, ReadsBackAnySizeAtAnyLevel) {
  for (const std::size_t size : {0, 1, 1000, 300'000, 5'000'000}) {
    const std::string raw = Payload(size);
    for (const int level : {1, 3, 9}) {
      const auto bytes = EncodeSegment("kind", raw, level);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      EXPECT_LT(bytes->size(), size / 2 + size / 20 + 100);
      EXPECT_EQ(DecodeSegment("kind", *bytes, size).value(), raw);
    }
  }
}

TEST(SegmentTest, ReadsTheFormatAsDescribed) {
  EXPECT_EQ(DecodeSegment("kind", SegmentOf(1, 5, "hello", Frame("hello")), 5).value(), "hello");
}

TEST(SegmentTest, RefusesArgumentsOutOfRange) {
  for (const int level : {-1, 0, 20}) {
    EXPECT_EQ(EncodeSegment("kind", "raw", level).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(EncodeSegment(std::string(256, 'k'), "raw").ok());
  // Address space without memory behind it: only its size may be looked at.
  const std::size_t size = kMaxSegmentRawSize + 1;
  void* const space =
      ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(space, MAP_FAILED);
  const Status status = EncodeSegment("kind", {static_cast<const char*>(space), size}).status();
  ::munmap(space, size);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(SegmentTest, NamesWhatIsWrong) {
  const std::string frame = Frame("hello");
  ExpectDataLoss(EncodeSegment("other", "raw").value(), kLimit, "kind is 'other'");
  ExpectDataLoss(std::string(100, 'x'), kLimit, "not a segment");
  ExpectDataLoss(SegmentOf(2, 5, "hello", frame), kLimit, "version 2");
  ExpectDataLoss(SegmentOf(1, 5, "jello", frame), kLimit, "CRC-32");
  ExpectDataLoss(SegmentOf(1, 6, "hello", frame), kLimit, "6 raw bytes");
  ExpectDataLoss(SegmentOf(1, 5, "hello", frame + frame), kLimit, "zstd");
  ExpectDataLoss(SegmentOf(1, 5, "hello", ""), kLimit, "zstd");
}

TEST(SegmentTest, DeclaredSizesOverTheLimitAreRefusedBeforeAllocation) {
  ExpectDataLoss(EncodeSegment("kind", "hello").value(), 4, "5 raw bytes, at most 4");
  // Were any of these allocated, std::string would throw.
  for (const std::uint64_t size : {std::uint64_t{1} << 62, UINT64_MAX, UINT64_MAX - 1}) {
    ExpectDataLoss(SegmentOf(1, size, "hello", Frame("hello")), kLimit, "at most");
    ExpectDataLoss(SegmentOf(1, size, "hello", Frame("hello")), SIZE_MAX, "at most");
    ExpectDataLoss(SegmentOf(1, size, "hello", "junk"), SIZE_MAX, "at most");
  }
}

TEST(SegmentTest, EveryTruncationAndExtensionIsDataLoss) {
  const std::string bytes = EncodeSegment("kind", Payload(600)).value();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ExpectDataLoss(bytes.substr(0, length), kLimit, "");
  }
  ExpectDataLoss(bytes + 'x', kLimit, "zstd");
}

TEST(SegmentTest, NoChangedByteEverGivesOtherContents) {
  const std::string raw = Payload(600);
  const std::string bytes = EncodeSegment("kind", raw).value();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int difference = 1; difference < 256; ++difference) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ difference);
      const auto decoded = DecodeSegment("kind", damaged, kLimit);
      // zstd has bits without meaning.
      ASSERT_TRUE(!decoded.ok() || *decoded == raw) << "byte " << at << " ^ " << difference;
    }
  }
}

}  // namespace
}  // namespace gorila
