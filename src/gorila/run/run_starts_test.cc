#include "gorila/run/run_starts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "gorila/config/config_keys.h"
#include "gorila/config/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunStartsTest : public testing::Test {
 protected:
  RunStartsTest() { fs::create_directories(run_); }
  ~RunStartsTest() override { fs::remove_all(run_); }

  testing::AssertionResult Append(const RunStart& start, const Config& now) {
    return Append(start, {.now = now, .before = now});
  }
  testing::AssertionResult Append(const RunStart& start, const StartSettings& settings) {
    const Status status = AppendRunStart(run_, start, settings);
    if (status.ok()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << status;
  }
  static Config With(std::string_view key, std::string_view value) {
    Config config = testing_config::SmallConfig();
    EXPECT_TRUE(SetConfigValue(config, key, value).ok());
    return config;
  }

  const fs::path run_ =
      fs::path(testing::TempDir()) /
      fmt::format("{}-{}", testing::UnitTest::GetInstance()->current_test_info()->name(),
                  ::getpid());
};

TEST_F(RunStartsTest, ARunOfAnOlderVersionHasNone) {
  EXPECT_TRUE(ReadRunStarts(run_).value().starts.empty());
}

TEST_F(RunStartsTest, AResumeWithAnotherLearningRateListsItWithItsFrame) {
  const Config before = testing_config::SmallConfig();
  Config after = before;
  ASSERT_TRUE(SetConfigValue(after, "optimizer.learning_rate", "0.5").ok());
  ASSERT_TRUE(SetConfigValue(after, "run.frames", "9000").ok());
  ASSERT_TRUE(Append({.time = "2026-01-02T03:04:05Z",
                      .command = "gorila train --run-dir 'a \"b\"'",
                      .version = "1",
                      .machine = "m"},
                     before));
  ASSERT_TRUE(Append({.time = TimeNow(),
                      .frames = 6000,
                      .seconds = 1.5,
                      .command = "gorila resume a",
                      .version = "2",
                      .machine = "n"},
                     after));
  const std::vector<RunStart> starts = ReadRunStarts(run_).value().starts;
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[0].command, "gorila train --run-dir 'a \"b\"'");
  EXPECT_EQ(starts[0].time, "2026-01-02T03:04:05Z");
  EXPECT_TRUE(starts[0].changes.empty());
  EXPECT_EQ(starts[1].frames, 6000);
  EXPECT_EQ(starts[1].seconds, 1.5);
  EXPECT_EQ(starts[1].time.size(), starts[0].time.size());
  ASSERT_EQ(starts[1].changes.size(), 2U);
  EXPECT_EQ(starts[1].changes[0].key, "optimizer.learning_rate");
  EXPECT_EQ(starts[1].changes[0].after, "0.5");
  EXPECT_EQ(starts[1].changes[1].key, "run.frames");
  EXPECT_EQ(starts[1].changes[1].after, "9000");
}

// The configuration file has the change already when it is resumed the second time.
TEST_F(RunStartsTest, AResumeThatDidNotComeToTrainHidesNoChange) {
  const Config changed = With("learner.batch_size", "64");
  ASSERT_TRUE(Append({.command = "first"}, testing_config::SmallConfig()));
  ASSERT_TRUE(Append({.command = "third"}, {.now = changed, .before = changed}));
  ASSERT_TRUE(Append({.command = "fourth"}, {.now = changed, .before = changed}));
  const std::vector<RunStart> starts = ReadRunStarts(run_).value().starts;
  ASSERT_EQ(starts[1].changes.size(), 1U);
  EXPECT_EQ(starts[1].changes[0].key, "learner.batch_size");
  EXPECT_EQ(starts[1].changes[0].after, "64");
  EXPECT_TRUE(starts[2].changes.empty());
}

TEST_F(RunStartsTest, ARunOfAnOlderVersionIsComparedWithItsConfiguration) {
  ASSERT_TRUE(Append({.frames = 10}, {.now = With("learner.batch_size", "64"),
                                      .before = testing_config::SmallConfig()}));
  const std::vector<RunStart> starts = ReadRunStarts(run_).value().starts;
  ASSERT_EQ(starts[0].changes.size(), 1U);
  EXPECT_EQ(starts[0].changes[0].key, "learner.batch_size");
}

TEST_F(RunStartsTest, AHalfWrittenLineIsReplacedByTheNextStart) {
  const Config config = testing_config::SmallConfig();
  ASSERT_TRUE(Append({.command = "first"}, config));
  std::ofstream(run_ / kStartsFile, std::ios::app) << "{\"time\":\"20";
  ASSERT_TRUE(Append({.command = "second"}, config));
  const std::vector<RunStart> starts = ReadRunStarts(run_).value().starts;
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[1].command, "second");
}

TEST_F(RunStartsTest, OfVeryManyTheNewestAreKept) {
  std::ofstream file(run_ / kStartsFile);
  for (int i = 0; i < 1500; ++i) file << fmt::format("{{\"frames\":{}}}\n", i);
  file.close();
  const RunStarts read = ReadRunStarts(run_).value();
  EXPECT_EQ(read.starts.size(), kMostStarts);
  EXPECT_EQ(read.left_out, 500U);
  EXPECT_EQ(read.starts.front().frames, 500);
}

TEST_F(RunStartsTest, ADamagedLineIsNamed) {
  std::ofstream(run_ / kStartsFile) << "{}\ngarbage\n";
  EXPECT_THAT(std::string(ReadRunStarts(run_).status().message()),
              AllOf(HasSubstr("starts.jsonl"), HasSubstr("line 2")));
}

}  // namespace
}  // namespace gorila
