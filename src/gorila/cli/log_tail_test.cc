#include "gorila/cli/log_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogTailTest : public testing::Test {
 protected:
  ~LogTailTest() override { fs::remove(log_); }
  void Write(const std::string& text) { std::ofstream(log_, std::ios::app) << text; }

  const fs::path log_ =
      fs::path(testing::TempDir()) / ("gorila_log_tail_" + std::to_string(::getpid()));
};

TEST_F(LogTailTest, TheLastFiveLinesOfThisAttempt) {
  Write("an earlier attempt\n");
  const auto begin = fs::file_size(log_);
  EXPECT_THAT(LogTail(log_, begin), IsEmpty());
  Write("1\n2\n\n3\n");
  EXPECT_THAT(LogTail(log_, begin), ElementsAre("1", "2", "3"));
  Write("4\n5\n6\x1b[2J\n7");
  EXPECT_THAT(LogTail(log_, begin), ElementsAre("3", "4", "5", "6 [2J", "7"));
}

TEST_F(LogTailTest, LongLinesAndLogsAreCutShort) {
  Write(std::string(100'000, 'x') + "\n");
  const auto tail = LogTail(log_, 0);
  ASSERT_EQ(tail.size(), 1U);
  EXPECT_EQ(tail[0], std::string(500, 'x'));
  EXPECT_THAT(LogTail("/nonexistent", 0), IsEmpty());
}

}  // namespace
}  // namespace gorila::cli
