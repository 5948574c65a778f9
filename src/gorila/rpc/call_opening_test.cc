#include "gorila/rpc/call_opening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "gorila/rpc/peer_address.h"
#include "gorila/rpc/raw_frames.h"
#include "gorila/rpc/refusal.h"

namespace gorila::rpc {
namespace {

using Kind = CallOpening::Kind;
using ::testing::HasSubstr;

std::string WholeOpening(std::string_view token) {
  return RawOpening() + RawFrame(4, 1, 0, "") + RawFrame(8, 0, 0, std::string(4, 'w')) +
         RawFrame(1, 4, 3, RawField(":path", "/x") + RawField("gorila-token", token));
}

TEST(CallOpeningTest, FindsTheTokenOfTheFirstCall) {
  const std::string bytes = WholeOpening("0123456789abcdef");
  const CallOpening opening = ReadCallOpening(bytes);
  EXPECT_EQ(opening.kind, Kind::kCall);
  EXPECT_EQ(opening.stream, 3u);
  EXPECT_EQ(opening.token, "0123456789abcdef");
  EXPECT_EQ(bytes.substr(opening.acknowledgement, kAcknowledgementBytes), RawFrame(4, 1, 0, ""));
}

TEST(CallOpeningTest, WaitsForMoreWhereverItIsCut) {
  const std::string bytes = WholeOpening(std::string(200, 't'));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ReadCallOpening(std::string_view(bytes).substr(0, size)).kind, Kind::kIncomplete)
        << size;
  }
}

TEST(CallOpeningTest, ReadsEveryFormOfAField) {
  const std::string indexed = "\x83\xff\x80\x01";
  const std::string table_size = "\x3f\x01";
  const std::string named_by_index = std::string("\x0f\x10", 2) + "\x01x";
  const std::string padded = std::string("\x02", 1) + "12345" + indexed + table_size +
                             named_by_index + RawField("gorila-token", "abc") + "pp";
  const std::string bytes = RawOpening() + RawFrame(1, 4 | 8 | 0x20, 1, padded);
  const CallOpening opening = ReadCallOpening(bytes);
  EXPECT_EQ(opening.kind, Kind::kCall);
  EXPECT_EQ(opening.token, "abc");
}

TEST(CallOpeningTest, ACallMayHaveNoToken) {
  const std::string bytes = RawOpening() + RawFrame(1, 4, 1, RawField("te", "trailers"));
  EXPECT_EQ(ReadCallOpening(bytes).kind, Kind::kCall);
  EXPECT_EQ(ReadCallOpening(bytes).token, "");
}

TEST(CallOpeningTest, WhatNoClientSaysIsForeign) {
  const std::string field = RawField("gorila-token", "abc");
  const std::string_view all[] = {"GET / HTTP/1.1\r\n", "\x16\x03\x01", "PRI * HTTP/1"};
  for (const std::string_view bytes : all) {
    EXPECT_EQ(ReadCallOpening(bytes).kind, Kind::kForeign) << bytes;
  }
  const std::string frames[] = {RawFrame(0, 0, 1, "data"),
                                RawFrame(9, 4, 1, field),
                                RawFrame(1, 0, 1, field),
                                RawFrame(1, 4, 0, field),
                                RawFrame(1, 4 | 8, 1, ""),
                                RawFrame(1, 4 | 8, 1, "\x7f"),
                                RawFrame(1, 4 | 0x20, 1, "123"),
                                RawFrame(1, 4, 1, std::string("\0\x7fname", 6)),
                                RawFrame(1, 4, 1, std::string(9, '\xff')),
                                std::string("\0\x40\0\x04\0\0\0\0\0", 9)};
  for (const std::string& frame : frames) {
    EXPECT_EQ(ReadCallOpening(RawOpening() + frame).kind, Kind::kForeign)
        << ::testing::PrintToString(frame);
  }
}

TEST(CallOpeningTest, SurvivesWhateverComes) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = WholeOpening("0123456789abcdef");
    for (int k = 0; k < 3; ++k)
      bytes[24 + random() % (bytes.size() - 24)] = static_cast<char>(random());
    const CallOpening opening = ReadCallOpening(bytes);
    EXPECT_LE(opening.acknowledgement + kAcknowledgementBytes, bytes.size());
    EXPECT_LE(opening.token.size(), bytes.size());
  }
}

TEST(CallOpeningTest, ARefusalIsReadableText) {
  const std::string bytes =
      EncodeRefusal(3, Refused(Refusal::kToken, absl::UnauthenticatedError("50 % \n")));
  EXPECT_THAT(bytes, HasSubstr("grpc-status\x02"
                               "16"));
  EXPECT_THAT(bytes, HasSubstr("50 %25 %0A"));
  EXPECT_THAT(bytes, HasSubstr("gorila-refusal\x05token"));
}

TEST(PeerAddressTest, IsTheSameHoweverItIsWritten) {
  EXPECT_EQ(ParsePeerAddress("ipv4:127.0.0.1:4000"),
            (PeerAddress{std::string("\x7f\0\0\1", 4), 4000}));
  const PeerAddress loopback{std::string(15, '\0') + '\1', 80};
  EXPECT_EQ(ParsePeerAddress("ipv6:[::1]:80"), loopback);
  EXPECT_EQ(ParsePeerAddress("ipv6:%5B::1%5D:80"), loopback);
  EXPECT_EQ(ParsePeerAddress("ipv6:%5Bfe80::1%25eth0%5D:80"),
            ParsePeerAddress("ipv6:[fe80::1]:80"));
  EXPECT_EQ(ParsePeerAddress("ipv6:[::ffff:127.0.0.1]:4000"),
            ParsePeerAddress("ipv4:127.0.0.1:4000"));
  for (const char* const other : {"unix:", "unix:/a:1", "", "ipv4:", "ipv4:x:1"}) {
    EXPECT_EQ(ParsePeerAddress(other).host, "") << other;
  }
}

}  // namespace
}  // namespace gorila::rpc
