#include "gorila/rpc/part.h"

#include <gmock/gmock.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/rpc/refusal.h"
#include "gorila/v1/transport.pb.h"

namespace gorila::rpc {
namespace {

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// `bytes` as a message that arrives in slices of `size`, as a transport may cut it.
grpc::ByteBuffer Cut(const std::string& bytes, std::size_t size) {
  std::vector<grpc::Slice> slices;
  for (std::size_t i = 0; i < bytes.size(); i += size) slices.emplace_back(bytes.substr(i, size));
  return {slices.data(), slices.size()};
}

std::shared_ptr<const Payload> RandomPayload(std::size_t size) {
  RandomStream random(size + 1);
  auto payload = std::make_shared<Payload>(size);
  for (std::byte& byte : payload->bytes()) byte = static_cast<std::byte>(random.Integer(0, 256));
  return payload;
}

TEST(PartTest, TheFirstPartIsReadBack) {
  const auto part = DecodeFirstPart(EncodeFirstPart("header", 12345));
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part->header, "header");
  EXPECT_EQ(part->payload_bytes, 12345u);
}

TEST(PartTest, APlaceInSharedMemoryIsReadBack) {
  constexpr std::uint64_t kLarge = ~std::uint64_t{0};
  const std::string longest(kMaxHeaderBytes, 'x');
  const auto part = DecodeFirstPart(EncodeFirstPart(longest, kLarge,
                                                    {.memory = kLarge,
                                                     .payload = true,
                                                     .payload_begin = kLarge - 1,
                                                     .room_begin = kLarge - 2,
                                                     .room_bytes = kLarge - 3,
                                                     .one_part = true}));
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_EQ(part->shared.memory, kLarge);
  EXPECT_TRUE(part->shared.payload);
  EXPECT_EQ(part->shared.payload_begin, kLarge - 1);
  EXPECT_EQ(part->shared.room_begin, kLarge - 2);
  EXPECT_EQ(part->shared.room_bytes, kLarge - 3);
  EXPECT_TRUE(part->shared.one_part);
  EXPECT_EQ(DecodeFirstPart(EncodeFirstPart("", 0))->shared.memory, 0u);
  EXPECT_FALSE(DecodeFirstPart(EncodeFirstPart("", 0))->shared.one_part);
}

TEST(PartTest, APieceIsReadBackHoweverItIsCut) {
  for (const std::size_t size : {1u, 3u, 127u, 128u, 5000u, 70000u}) {
    const auto payload = RandomPayload(size + 10);
    const std::string bytes = BytesOf(EncodePiece(payload, 7, size));
    for (const std::size_t cut : {1u, 2u, 1000u, 100000u}) {
      std::vector<std::byte> room(size + 1);
      const auto read = DecodePiece(Cut(bytes, cut), room);
      ASSERT_TRUE(read.ok()) << read.status();
      ASSERT_EQ(*read, size);
      EXPECT_EQ(std::memcmp(room.data(), payload->bytes().data() + 7, size), 0);
    }
  }
}

TEST(PartTest, APieceIsAProtobufMessage) {
  const auto payload = RandomPayload(300);
  v1::Part part;
  ASSERT_TRUE(part.ParseFromString(BytesOf(EncodePiece(payload, 0, 300))));
  EXPECT_EQ(std::memcmp(part.payload().data(), payload->bytes().data(), 300), 0);
  // And the other way round.
  part.set_payload("abc");
  std::vector<std::byte> room(3);
  ASSERT_TRUE(DecodePiece(Cut(part.SerializeAsString(), 100), room).ok());
  EXPECT_EQ(std::memcmp(room.data(), "abc", 3), 0);
}

TEST(PartTest, ThePayloadLivesAsLongAsItsSlices) {
  grpc::ByteBuffer buffer;
  {
    auto payload = std::make_shared<Payload>(3);
    std::memcpy(payload->bytes().data(), "xyz", 3);
    buffer = EncodePiece(payload, 0, 3);
  }
  EXPECT_TRUE(BytesOf(buffer).ends_with("xyz"));
}

TEST(PartTest, ABorrowedPayloadIsCopiedOnItsWay) {
  std::vector<float> values = {1, 2, 3};
  const grpc::ByteBuffer piece = EncodePiece(Payload::Borrow(values), sizeof(float), sizeof(float));
  values[1] = 7;
  std::array<float, 1> room{};
  ASSERT_TRUE(DecodePiece(piece, std::as_writable_bytes(std::span(room))).ok());
  EXPECT_EQ(room[0], 2);
}

TEST(PartTest, SharedFloatsAreNeitherCopiedNorLost) {
  auto values = std::make_shared<const std::vector<float>>(std::vector<float>{1, 2});
  const auto* const data = reinterpret_cast<const std::byte*>(values->data());
  const auto payload = Payload::Of(std::move(values));
  EXPECT_EQ(payload->bytes().data(), data);
  std::array<float, 2> room{};
  ASSERT_TRUE(
      DecodePiece(EncodePiece(payload, 0, payload->size()), std::as_writable_bytes(std::span(room)))
          .ok());
  EXPECT_EQ(room[1], 2);
}

void ExpectRefused(const grpc::ByteBuffer& piece, Refusal refusal) {
  std::vector<std::byte> room(100);
  const Status status = DecodePiece(piece, room).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(RefusalOf(status), refusal) << status;
}

TEST(PartTest, EveryTruncationOfAPieceIsRefused) {
  const std::string whole = BytesOf(EncodePiece(RandomPayload(90), 0, 90));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ExpectRefused(Cut(whole.substr(0, size), 7), Refusal::kMalformed);
  }
  ExpectRefused(Cut(whole + "x", 7), Refusal::kMalformed);
}

TEST(PartTest, PiecesThatAreTooLargeAreRefused) {
  ExpectRefused(EncodePiece(RandomPayload(101), 0, 101), Refusal::kOversized);
  ExpectRefused(EncodePiece(RandomPayload(kMaxPieceBytes + 64), 0, kMaxPieceBytes + 64),
                Refusal::kOversized);
  // A length of 2^62 and of more bits than a varint may have.
  ExpectRefused(Cut("\x1a\x80\x80\x80\x80\x80\x80\x80\x80\x40x", 100), Refusal::kOversized);
  ExpectRefused(Cut("\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 100), Refusal::kMalformed);
}

TEST(PartTest, FirstPartsThatAreNoneAreRefused) {
  EXPECT_EQ(RefusalOf(DecodeFirstPart(Cut("\xff\xff\xff", 10)).status()), Refusal::kMalformed);
  EXPECT_EQ(RefusalOf(DecodeFirstPart(EncodePiece(RandomPayload(5), 0, 5)).status()),
            Refusal::kMalformed)
      << "a payload before the header";
  EXPECT_EQ(
      RefusalOf(
          DecodeFirstPart(EncodeFirstPart(std::string(kMaxHeaderBytes + 100, 'x'), 0)).status()),
      Refusal::kOversized);
}

TEST(PartTest, RandomBytesNeverDoHarm) {
  RandomStream random(9);
  std::vector<std::byte> room(64);
  for (int i = 0; i < 5000; ++i) {
    std::string bytes(static_cast<std::size_t>(random.Integer(0, 40)), '\0');
    for (char& c : bytes) c = static_cast<char>(random.Integer(0, 256));
    if (!bytes.empty() && i % 2 == 0) bytes[0] = 0x1a;
    const auto piece = DecodePiece(Cut(bytes, 5), room);
    EXPECT_LE(piece.value_or(0), room.size());
    DecodeFirstPart(Cut(bytes, 5)).status().IgnoreError();
  }
}

}  // namespace
}  // namespace gorila::rpc
