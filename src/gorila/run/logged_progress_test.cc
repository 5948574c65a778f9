#include "gorila/run/logged_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gorila/base/file.h"
#include "gorila/metrics/run_log_tail.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

class LoggedProgressTest : public ::testing::Test {
 protected:
  LoggedProgressTest() { fs::create_directories(folder_); }
  ~LoggedProgressTest() override { fs::remove_all(folder_); }

  LoggedProgress Read(const std::string& contents) {
    EXPECT_TRUE(WriteFileSynced(path_, contents).ok());
    return ReadLoggedProgress(path_).value();
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const fs::path path_ = folder_ / "metrics.jsonl";
};

std::string OldRow(int frames) {
  return fmt::format("{{\"kind\":\"training\",\"frames\":{0},\"seconds\":{0},\"cpu_seconds\":5}}\n",
                     frames);
}

std::string Row(int frames, int evaluations) {
  return fmt::format(
      "{{\"kind\":\"training\",\"frames\":{0},\"seconds\":{0},\"cpu_seconds\":{1},"
      "\"evaluations\":{2},\"skipped_evaluations\":3,\"evaluated_frames\":{3}}}\n",
      frames, 2 * frames, evaluations, 10 * evaluations);
}

std::string Evaluation(int frames) {
  return fmt::format("{{\"kind\":\"evaluation\",\"frames\":{}}}\n", frames);
}

constexpr const char* kSkipped = "{\"kind\":\"skipped_evaluation\",\"frames\":7,\"count\":2}\n";

TEST_F(LoggedProgressTest, TheLastRowIsEnoughHoweverLongTheLog) {
  // What is before must not be read: it could not be.
  std::string contents = "garbage\n";
  for (int i = 0; i < 50'000; ++i) contents += Row(i, 1);
  const LoggedProgress logged = Read(contents + Row(60'000, 8));
  EXPECT_TRUE(logged.any);
  EXPECT_EQ(logged.frames, 60'000);
  EXPECT_EQ(logged.seconds, 60'000);
  EXPECT_EQ(logged.cpu_seconds, 120'000);
  EXPECT_EQ(logged.evaluations, 8);
  EXPECT_EQ(logged.skipped_evaluations, 3);
  EXPECT_EQ(logged.evaluated_frames, 80);
  EXPECT_GT(contents.size(), 50 * RunLogTail::kPartBytes);
  EXPECT_EQ(logged.bytes_read, RunLogTail::kPartBytes);
}

TEST_F(LoggedProgressTest, WhatCameAfterTheLastRowIsAdded) {
  const LoggedProgress logged =
      Read(Row(100, 8) + Evaluation(110) + kSkipped + Evaluation(120) + kSkipped);
  EXPECT_EQ(logged.frames, 120);
  EXPECT_EQ(logged.seconds, 100);
  EXPECT_EQ(logged.evaluations, 10);
  EXPECT_EQ(logged.skipped_evaluations, 7);
  EXPECT_EQ(logged.evaluated_frames, 120);
}

TEST_F(LoggedProgressTest, RowsOfOlderVersionsAreCounted) {
  std::string contents;
  for (int i = 1; i <= 10'000; ++i) {
    contents += OldRow(i);
    if (i % 1000 == 0) contents += Evaluation(i);
    if (i % 5000 == 0) contents += kSkipped;
  }
  const LoggedProgress logged = Read(contents);
  EXPECT_EQ(logged.frames, 10'000);
  EXPECT_EQ(logged.seconds, 10'000);
  EXPECT_EQ(logged.evaluations, 10);
  EXPECT_EQ(logged.skipped_evaluations, 4);
  EXPECT_EQ(logged.evaluated_frames, 10'000);
  EXPECT_EQ(logged.bytes_read, contents.size());
}

TEST_F(LoggedProgressTest, NothingIsLoggedYet) {
  EXPECT_FALSE(ReadLoggedProgress(path_).value().any);
  const LoggedProgress logged = Read("");
  EXPECT_FALSE(logged.any);
  EXPECT_EQ(logged.evaluated_frames, -1);
}

TEST_F(LoggedProgressTest, DamageAtTheEndIsNotPassedOver) {
  ASSERT_TRUE(WriteFileSynced(path_, Row(1, 1) + "garbage\n").ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadLoggedProgress(path_).status()));
}

}  // namespace
}  // namespace gorila
