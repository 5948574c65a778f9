#include "gorila/base/protobuf_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gorila {
namespace {

using namespace std::string_literals;

TEST(ProtobufWriterTest, VarintsTakeSevenBitsAByte) {
  ProtobufWriter writer;
  writer.Varint(1, 150);  // the example of the format's own description
  EXPECT_EQ(writer.bytes(), "\x08\x96\x01");
}

TEST(ProtobufWriterTest, NegativeIntegersTakeTenBytes) {
  ProtobufWriter writer;
  writer.Varint(1, -1);
  EXPECT_EQ(writer.bytes(), "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(ProtobufWriterTest, FieldNumbersAboveFifteenTakeTwoBytes) {
  ProtobufWriter writer;
  writer.Varint(16, 0);
  EXPECT_EQ(writer.bytes(), "\x80\x01\x00"s);
}

TEST(ProtobufWriterTest, FixedFieldsAreLittleEndian) {
  ProtobufWriter writer;
  writer.Double(1, 1.0);
  writer.Float(2, 1.0F);
  EXPECT_EQ(writer.bytes(), "\x09\0\0\0\0\0\0\xf0\x3f\x15\0\0\x80\x3f"s);
}

TEST(ProtobufWriterTest, MessagesNestAsBytes) {
  ProtobufWriter inner;
  inner.Bytes(2, "testing");
  ProtobufWriter outer;
  outer.Message(3, inner);
  EXPECT_EQ(outer.bytes(), "\x1a\x09\x12\x07testing");
}

TEST(ProtobufWriterTest, RepeatedDoublesArePacked) {
  ProtobufWriter writer;
  writer.Doubles(6, std::vector<double>{1, 0});
  EXPECT_EQ(writer.bytes(), "\x32\x10\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\0"s);
}

}  // namespace
}  // namespace gorila
