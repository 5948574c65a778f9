#include "gorila/env/external/action_log.h"

#include <gtest/gtest.h>

#include <array>

namespace gorila {
namespace {

constexpr std::array<std::byte, 3> kSeen{std::byte{1}, std::byte{2}, std::byte{3}};

ActionLog Played(int steps) {
  ActionLog log;
  log.Begin(7, kSeen);
  for (int i = 0; i < steps; ++i) log.Add(i % 3, {.reward = 0.5}, kSeen);
  return log;
}

TEST(ActionLogTest, StateIsRestored) {
  const ActionLog log = Played(1000);
  StateWriter writer;
  log.SaveState(writer);
  EXPECT_LT(writer.bytes().size(), 500U);  // compressed
  StateReader reader(writer.bytes());
  ActionLog restored;
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  EXPECT_EQ(restored, log);
  EXPECT_TRUE(reader.Finish().ok());
}

TEST(ActionLogTest, DamagedStateIsDataLoss) {
  StateWriter writer;
  Played(100).SaveState(writer);
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    StateReader reader(std::string_view(writer.bytes()).substr(0, size));
    ActionLog restored;
    EXPECT_TRUE(absl::IsDataLoss(restored.RestoreState(reader))) << size;
    EXPECT_FALSE(restored.begun());
  }
}

TEST(ActionLogTest, TheChecksumCoversWhatWasSeenAndWon) {
  const std::uint64_t same = Played(3).checksum();
  EXPECT_EQ(Played(3).checksum(), same);
  ActionLog other = Played(2);
  other.Add(2, {.reward = 0.25}, kSeen);
  EXPECT_NE(other.checksum(), same);
  ActionLog seen = Played(2);
  seen.Add(2, {.reward = 0.5}, std::array{std::byte{1}, std::byte{2}, std::byte{4}});
  EXPECT_NE(seen.checksum(), same);
  ActionLog first = Played(3);
  first.Add(ActionLog::kNext, {}, kSeen);
  EXPECT_NE(first.checksum(), same);
}

TEST(ActionLogTest, AnActionThatTheEnvironmentDoesNotHaveIsDataLoss) {
  const ActionLog log = Played(3);  // actions 0, 1, 2
  EXPECT_TRUE(log.CheckActions(0, 2).ok());
  EXPECT_TRUE(absl::IsDataLoss(log.CheckActions(0, 1)));
  EXPECT_TRUE(absl::IsDataLoss(log.CheckActions(1, 2)));
}

TEST(ActionLogTest, ASeedBeginsAnew) {
  ActionLog log = Played(5);
  log.Begin(8, kSeen);
  EXPECT_EQ(log.seed(), 8U);
  EXPECT_TRUE(log.actions().empty());
}

}  // namespace
}  // namespace gorila
