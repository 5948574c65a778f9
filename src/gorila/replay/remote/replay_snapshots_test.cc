#include "gorila/replay/remote/replay_snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "gorila/replay/shard_testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;

constexpr std::uint64_t kLayout = 17;

class ReplaySnapshotsTest : public testing::Test {
 protected:
  ReplaySnapshotsTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
  }
  ~ReplaySnapshotsTest() override { std::filesystem::remove_all(folder_); }

  static void InsertEpisode(ReplayShard& shard, int episode) {
    ASSERT_TRUE(InsertRows(shard, {.actor = 1}, Episode(9, 10 * episode)).ok());
  }

  const std::filesystem::path folder_;
  const ReplayShardOptions options_ = ShardOptions(300);
};

TEST_F(ReplaySnapshotsTest, AShardThatIsRestartedAgainAndAgainKeepsItsRows) {
  std::int64_t generation = 0;
  int episode = 0;
  std::int64_t rows = 0;
  for (int process = 0; process < 6; ++process) {
    auto snapshots = ReplaySnapshots::Open(folder_, kLayout).value();
    EXPECT_EQ(snapshots.generation(), ++generation);
    const auto shard = MakeShard(options_);
    const StatusOr<bool> restored = snapshots.Restore(*shard);
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(*restored, process > 0);
    shard->CheckInvariants();
    EXPECT_EQ(shard->GetStatus().size.rows, rows);
    for (int i = 0; i < 9; ++i) {
      InsertEpisode(*shard, episode++);
      if (i % 3 == 0) {
        const Status written = snapshots.Write(*shard);
        ASSERT_TRUE(written.ok()) << written;
      }
    }
    ASSERT_TRUE(snapshots.Write(*shard).ok());
    rows = shard->GetStatus().size.rows;
    InsertEpisode(*shard, episode);  // lost in the kill
  }
  EXPECT_EQ(rows, 300) << "old ones made room";
}

TEST_F(ReplaySnapshotsTest, AReplacedProcessWritesNothing) {
  auto old = ReplaySnapshots::Open(folder_, kLayout).value();
  const auto shard = MakeShard(options_);
  InsertEpisode(*shard, 0);
  ASSERT_TRUE(old.Write(*shard).ok());
  auto replacement = ReplaySnapshots::Open(folder_, kLayout).value();
  EXPECT_EQ(old.Write(*shard).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(replacement.CheckNotReplaced().ok());
}

TEST_F(ReplaySnapshotsTest, ASnapshotOfAnotherNetworkIsRefused) {
  auto snapshots = ReplaySnapshots::Open(folder_, kLayout).value();
  ASSERT_TRUE(snapshots.Write(*MakeShard(options_)).ok());
  auto other = ReplaySnapshots::Open(folder_, kLayout + 1).value();
  EXPECT_TRUE(absl::IsInvalidArgument(other.Restore(*MakeShard(options_)).status()));
}

TEST_F(ReplaySnapshotsTest, ADamagedSnapshotIsFoundAndAnEmptyShardCanGoOn) {
  auto snapshots = ReplaySnapshots::Open(folder_, kLayout).value();
  const auto shard = MakeShard(options_);
  InsertEpisode(*shard, 0);
  ASSERT_TRUE(snapshots.Write(*shard).ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (entry.path().extension() != ".segment") continue;
    std::filesystem::resize_file(entry.path(), 10);
  }
  auto next = ReplaySnapshots::Open(folder_, kLayout).value();
  EXPECT_TRUE(absl::IsDataLoss(next.Restore(*MakeShard(options_)).status()));
  next.StartAnew();
  const auto empty = MakeShard(options_);
  InsertEpisode(*empty, 0);
  ASSERT_TRUE(next.Write(*empty).ok());
  auto last = ReplaySnapshots::Open(folder_, kLayout).value();
  const auto restored = MakeShard(options_);
  ASSERT_TRUE(last.Restore(*restored).value());
  EXPECT_EQ(restored->GetStatus().size.rows, 10);
}

TEST_F(ReplaySnapshotsTest, AGenerationFileThatIsNoneIsRefused) {
  ASSERT_TRUE(ReplaySnapshots::Open(folder_, kLayout).ok());
  std::ofstream(folder_ / "generation") << "x";
  const Status status = ReplaySnapshots::Open(folder_, kLayout).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("generation"));
}

}  // namespace
}  // namespace gorila
