#include "gorila/base/serialise.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

TEST(SerialiseTest, ReadsBackWhatWasWritten) {
  StateWriter writer;
  writer.Write(42);
  writer.WriteString("gorila");
  const std::vector<float> values{1.5f, -2.0f};
  writer.WriteSpan<float>(values);

  StateReader reader(writer.bytes());
  int number = 0;
  std::string text;
  std::vector<float> read;
  ASSERT_TRUE(reader.Read(number).ok());
  ASSERT_TRUE(reader.ReadString(text).ok());
  ASSERT_TRUE(reader.ReadVector(read).ok());
  EXPECT_EQ(number, 42);
  EXPECT_EQ(text, "gorila");
  EXPECT_EQ(read, values);
  EXPECT_TRUE(reader.Finish().ok());
}

TEST(SerialiseTest, EveryTruncationIsDataLoss) {
  StateWriter writer;
  writer.Write(std::uint32_t{7});
  writer.WriteSpan<float>(std::vector<float>{1, 2, 3});
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    StateReader reader(std::string_view(writer.bytes()).substr(0, size));
    std::uint32_t number = 0;
    std::vector<float> values;
    Status status = reader.Read(number);
    if (status.ok()) status = reader.ReadVector(values);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST(SerialiseTest, HugeLengthDoesNotAllocate) {
  StateWriter writer;
  writer.Write(std::uint64_t{1} << 62);
  StateReader reader(writer.bytes());
  std::vector<double> values;
  EXPECT_EQ(reader.ReadVector(values).code(), absl::StatusCode::kDataLoss);
}

TEST(SerialiseTest, FinishNoticesLeftOverBytes) {
  StateReader reader("x");
  EXPECT_EQ(reader.Finish().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace gorila
