#include "gorila/parameter_server/remote/shard_snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "gorila/parameter_server/remote/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_remote::kLayout;
using testing_remote::MakePlace;
using testing_remote::MakeService;

class ShardSnapshotsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("gorila_shard_snapshots_{}", ::getpid());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  StatusOr<ShardSnapshots> Open() { return ShardSnapshots::Open(folder_, place_, kLayout); }

  // A state of version `pushes`.
  ShardState State(int pushes) {
    const auto service = MakeService(place_, 1);
    for (int i = 1; i <= pushes; ++i) {
      EXPECT_TRUE(testing_remote::Ask<v1::PushResponse>(*service, kPushMethod,
                                                        testing_remote::PushFrom(4, i, i - 1),
                                                        std::vector<float>(place_.slice.size(), 1))
                      .ok());
    }
    return service->Save();
  }

  std::vector<fs::path> Files() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_ / "snapshots")) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  fs::path folder_;
  const ShardPlace place_ = MakePlace(1, 2, 64);
};

TEST_F(ShardSnapshotsTest, EveryProcessGetsALargerGeneration) {
  for (int generation = 1; generation <= 3; ++generation) {
    auto snapshots = Open();
    ASSERT_TRUE(snapshots.ok()) << snapshots.status();
    EXPECT_EQ(snapshots->generation(), generation);
    EXPECT_FALSE(snapshots->TakeNewest().has_value());
  }
}

TEST_F(ShardSnapshotsTest, TheNewestIsReadBack) {
  auto first = Open().value();
  ASSERT_TRUE(first.Write(State(3)).ok());
  ASSERT_TRUE(first.Write(State(5)).ok());
  auto second = Open().value();
  const std::optional<ShardState> state = second.TakeNewest();
  ASSERT_TRUE(state.has_value());
  const auto service = MakeService(place_, second.generation());
  ASSERT_TRUE(service->Restore(*state).ok());
  EXPECT_EQ(service->shard().version(), 5);
  EXPECT_EQ(service->shard().Snapshot().values, State(5).shard.values);
  EXPECT_EQ(service->shard().Snapshot().target, State(5).shard.target);
  EXPECT_EQ(service->Save().clients, State(5).clients);
  EXPECT_FALSE(second.TakeNewest().has_value()) << "taken once";
}

TEST_F(ShardSnapshotsTest, OnlyTheTwoNewestAreKept) {
  auto snapshots = Open().value();
  const ShardState state = State(1);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(snapshots.Write(state).ok());
  const auto files = Files();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files.back().filename(), "000001000004");
}

TEST_F(ShardSnapshotsTest, AReplacedProcessWritesNothingMore) {
  auto old_process = Open().value();
  ASSERT_TRUE(old_process.Write(State(9)).ok());
  auto new_process = Open().value();
  const Status status = old_process.Write(State(10));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("generation 2 has replaced"));
  ASSERT_TRUE(new_process.Write(State(2)).ok());
  EXPECT_EQ(Open().value().TakeNewest()->shard.version, 2)
      << "the newer generation's, though its version is lower";
}

TEST_F(ShardSnapshotsTest, ADamagedNewestIsPassedOverWithAWarning) {
  auto snapshots = Open().value();
  ASSERT_TRUE(snapshots.Write(State(1)).ok());
  ASSERT_TRUE(snapshots.Write(State(2)).ok());
  std::ofstream(Files().back() / "clients.state") << "x";
  auto reopened = Open().value();
  EXPECT_EQ(reopened.TakeNewest()->shard.version, 1);
  EXPECT_EQ(reopened.warnings().size(), 1u);
}

TEST_F(ShardSnapshotsTest, WhatIsNotFiniteIsNotWrittenAndTheOneBeforeIsKept) {
  auto snapshots = Open().value();
  ASSERT_TRUE(snapshots.Write(State(1)).ok());
  ShardState wrong = State(2);
  wrong.shard.target.front() = std::numeric_limits<float>::infinity();
  const Status status = snapshots.Write(wrong);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("values that are not finite"));
  EXPECT_EQ(Open().value().TakeNewest()->shard.version, 1);
}

TEST_F(ShardSnapshotsTest, WhenAllAreDamagedNoGenerationIsTaken) {
  auto snapshots = Open().value();
  ASSERT_TRUE(snapshots.Write(State(1)).ok());
  std::ofstream(Files().back() / "clients.state") << "x";
  EXPECT_TRUE(absl::IsDataLoss(Open().status()));
  fs::remove_all(folder_ / "snapshots");
  EXPECT_EQ(Open().value().generation(), 2);
}

TEST_F(ShardSnapshotsTest, RefusesAnotherShardsOrNetworksFolder) {
  auto snapshots = Open().value();
  ASSERT_TRUE(snapshots.Write(State(1)).ok());
  for (const auto& status : {ShardSnapshots::Open(folder_, MakePlace(0, 2, 64), kLayout).status(),
                             ShardSnapshots::Open(folder_, MakePlace(1, 2, 80), kLayout).status(),
                             ShardSnapshots::Open(folder_, place_, kLayout + 1).status()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("the snapshot belongs to"));
  }
}

}  // namespace
}  // namespace gorila
