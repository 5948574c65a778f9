// Damaged snapshots are found. (That whole ones come back is in the property and thread tests.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gorila/replay/shard_testing.h"

namespace gorila {
namespace {

using namespace testing_replay;

class DamagedShardTest : public testing::Test {
 protected:
  DamagedShardTest() {
    const auto shard = MakeShard(ShardOptions(300, 3, 4));
    for (int episode = 0; episode < 30; ++episode) {
      const StreamName stream{.actor = episode % 4, .life = 1, .stream = 0};
      EXPECT_TRUE(InsertRows(*shard, stream, Episode(14, 15 * (episode / 4))).ok());
      if (episode % 10 == 0) whole_.Save(*shard, 600);
    }
    whole_.Save(*shard, 600);
  }

  static Status Restore(const ShardSnapshot& snapshot) {
    return snapshot.Restore(*MakeShard(ShardOptions(300, 3, 4), 99));
  }

  ShardSnapshot whole_;
};

TEST_F(DamagedShardTest, TheUndamagedOneRestores) {
  EXPECT_GE(whole_.segments_.size(), 8u);
  EXPECT_TRUE(Restore(whole_).ok());
}

TEST_F(DamagedShardTest, AMissingSegmentIsDataLoss) {
  for (std::size_t i = 0; i < whole_.segments_.size(); ++i) {
    ShardSnapshot damaged = whole_;
    damaged.segments_.erase(damaged.segments_.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(absl::IsDataLoss(Restore(damaged))) << i;
  }
}

TEST_F(DamagedShardTest, TruncatedPartsAreDataLoss) {
  for (std::size_t size = 0; size < whole_.state_.size(); size += 7) {
    ShardSnapshot damaged = whole_;
    damaged.state_.resize(size);
    EXPECT_TRUE(absl::IsDataLoss(Restore(damaged))) << size;
  }
  for (std::size_t size = 0; size < whole_.segments_[1].first.size(); ++size) {
    ShardSnapshot damaged = whole_;
    damaged.segments_[1].first.resize(size);
    EXPECT_TRUE(absl::IsDataLoss(Restore(damaged))) << size;
  }
}

TEST_F(DamagedShardTest, NoChangedByteMakesItUnusable) {
  for (std::string* part : {&whole_.state_, &whole_.segments_[1].first}) {
    for (std::size_t i = 0; i < part->size(); i += 3) {
      (*part)[i] = static_cast<char>((*part)[i] ^ 0x41);
      const auto shard = MakeShard(ShardOptions(300, 3, 4), 99);
      const Status status = whole_.Restore(*shard);
      EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
      TransitionBatch batch;
      if (status.ok() && shard->Sample(20, Now(), batch).ok()) shard->CheckInvariants();
      (*part)[i] = static_cast<char>((*part)[i] ^ 0x41);
    }
  }
}

TEST_F(DamagedShardTest, ASnapshotOfAnotherCapacityIsRefused) {
  const auto other = MakeShard(ShardOptions(3000, 3, 4));
  EXPECT_TRUE(absl::IsDataLoss(whole_.Restore(*other)));
}

// Rows that came after it was saved are of no concern to a snapshot.
TEST(ReplayShardSnapshotTest, SavesWhatIsInSegmentsAndNoMore) {
  const ReplayShardOptions options = ShardOptions(1000);
  const auto shard = MakeShard(options);
  ASSERT_TRUE(InsertRows(*shard, {.actor = 1}, Episode(9)).ok());
  ShardSnapshot snapshot;
  StateWriter rows;
  const auto saved = shard->SaveNewRows(1 << 20, rows);
  EXPECT_EQ(saved.rows, 10);
  EXPECT_FALSE(saved.more);
  snapshot.segments_.push_back({rows.Take(), saved.last_serial});
  ASSERT_TRUE(InsertRows(*shard, {.actor = 2}, Episode(5)).ok());
  StateWriter state;
  shard->SaveState(state);
  snapshot.state_ = state.Take();
  const auto restored = MakeShard(options);
  ASSERT_TRUE(snapshot.Restore(*restored).ok());
  EXPECT_EQ(restored->GetStatus().size.rows, 10);
  restored->CheckInvariants();
}

// A snapshot has frames as they were inserted, so that a shard may be restarted with another
// compression; what does not fit any more goes, oldest first.
TEST(ReplayShardSnapshotTest, RestoresIntoAnotherCompression) {
  const FrameStorageOptions kinds[] = {
      {},
      {.compression = FrameCompression::kZstd},
      {.compression = FrameCompression::kZstd, .compressed_frame_bytes = 4}};
  for (const FrameStorageOptions& from : kinds) {
    for (const FrameStorageOptions& to : kinds) {
      ReplayShardOptions options = ShardOptions(4000, 1, 2);
      options.replay.frames = from;
      const auto shard = MakeShard(options);
      for (int episode = 0; episode < 150; ++episode) {
        const StreamName stream{.actor = episode % 4, .life = 1};
        ASSERT_TRUE(InsertRows(*shard, stream, Episode(29, 30 * (episode / 4), 1)).ok());
      }
      ShardSnapshot snapshot;
      snapshot.Save(*shard, 5000);
      options.replay.frames = to;
      const auto restored = MakeShard(options, 2);
      const Status status = snapshot.Restore(*restored);
      ASSERT_TRUE(status.ok()) << status;
      restored->CheckInvariants();
      const std::int64_t rows = restored->GetStatus().size.rows;
      if (to.compressed_frame_bytes == 0) {
        EXPECT_EQ(rows, shard->GetStatus().size.rows);
      } else {
        EXPECT_LT(rows, 2000);
        EXPECT_GT(rows, 500);
      }
      TransitionBatch batch;
      ASSERT_TRUE(restored->Sample(50, Later(), batch).ok());
      for (std::size_t i = 0; i < 50; ++i) {
        const Transition got = FromBatch(batch, i, 2);
        EXPECT_EQ(got.s_t[0], got.s_tm1[1]);
        EXPECT_EQ(got.s_t[1].number, got.s_tm1[1].number + 1);
      }
    }
  }
}

// Of two games; game 0's priorities were as high as 9 and game 1's as 5, and all are 1 now.
class LargestPriorityTest : public testing::Test {
 protected:
  LargestPriorityTest() {
    options_.replay.selector = {.name = "prioritized", .priority_exponent = 1};
    options_.replay.games = 2;
    const auto shard = MakeShard(options_);
    InsertOne(*shard, 0);
    InsertOne(*shard, 1);
    TransitionBatch batch;
    EXPECT_TRUE(shard->Sample(16, Later(), batch).ok());
    std::vector<float> errors;
    for (const int game : batch.games) errors.push_back(game == 0 ? 9 : 5);
    EXPECT_TRUE(shard->UpdatePriorities(1, batch.keys, errors, Later()).ok());
    EXPECT_NEAR(shard->GetStatus().size.mass, 14, 1e-4);
    std::fill(errors.begin(), errors.end(), 1.0F);
    EXPECT_TRUE(shard->UpdatePriorities(1, batch.keys, errors, Later()).ok());
    snapshot_.Save(*shard, 600);
  }

  // An episode of one transition, each of a stream of its own.
  void InsertOne(ReplayShard& shard, int game) {
    const StreamName stream{.actor = streams_++, .life = 1, .stream = 0};
    ASSERT_TRUE(InsertRows(shard, stream, Episode(1, 0, 0, game)).ok());
  }

  // The sums of priorities: of what is restored, and after a transition of game 0, and of game 1.
  std::vector<double> MassesAfter(const ShardSnapshot& snapshot) {
    const auto shard = MakeShard(options_);
    EXPECT_TRUE(snapshot.Restore(*shard).ok());
    std::vector<double> masses = {shard->GetStatus().size.mass};
    for (const int game : {0, 1}) {
      InsertOne(*shard, game);
      masses.push_back(shard->GetStatus().size.mass);
    }
    return masses;
  }

  ReplayShardOptions options_ = ShardOptions(300);
  ShardSnapshot snapshot_;
  std::int32_t streams_ = 0;
};

TEST_F(LargestPriorityTest, OfEachGameComesBack) {
  EXPECT_THAT(MassesAfter(snapshot_),
              testing::Pointwise(testing::DoubleNear(1e-4), {2., 11., 16.}));
}

TEST_F(LargestPriorityTest, AStateOfAnOlderVersionRestoresWithoutThem) {
  ShardSnapshot older = snapshot_;
  std::int32_t shape = 0;
  std::memcpy(&shape, older.state_.data(), sizeof shape);
  ASSERT_LT(shape, 0);
  shape = -shape;
  std::memcpy(older.state_.data(), &shape, sizeof shape);
  older.state_.resize(older.state_.size() - 2 * sizeof(double));
  EXPECT_THAT(MassesAfter(older), testing::Pointwise(testing::DoubleNear(1e-4), {2., 3., 4.}));
}

TEST_F(LargestPriorityTest, AnImpossibleOneIsDataLoss) {
  const double none = 0;
  std::memcpy(&snapshot_.state_[snapshot_.state_.size() - sizeof none], &none, sizeof none);
  const Status status = snapshot_.Restore(*MakeShard(options_));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("largest priority of game 1 is 0"));
}

}  // namespace
}  // namespace gorila
