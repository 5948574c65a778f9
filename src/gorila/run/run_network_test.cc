#include "gorila/run/run_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "gorila/base/file.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/remote/shard_snapshots.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_results.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A launched run's folder of two shards, without processes.
class RunNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    run_ = fs::path(testing::TempDir()) / fmt::format("run_network_test-{}", ::getpid());
    fs::remove_all(run_);
    config_ = testing_config::SmallConfig();
    layout_ = MakeParameterLayout(ResolveNetwork(config_).value());
    ASSERT_TRUE(CreateFolders(run_ / "servers").ok());
  }
  void TearDown() override { fs::remove_all(run_); }

  fs::path Folder(int shard) const {
    return run_ / "servers" / fmt::format("parameter-server-{}", shard);
  }

  // A snapshot of a shard whose parameters all are `value`.
  void Snapshot(int shard, float value, std::int64_t version) {
    const auto slices = MakePartition(layout_.size, 2).value();
    const Slice slice = slices[static_cast<std::size_t>(shard)];
    auto snapshots = ShardSnapshots::Open(
        Folder(shard), {.index = shard, .shards = 2, .parameters = layout_.size, .slice = slice},
        layout_.Fingerprint());
    ASSERT_TRUE(snapshots.ok()) << snapshots.status();
    ShardState state;
    state.shard.version = version;
    state.shard.values.assign(slice.size(), value);
    state.shard.target = state.shard.values;
    ASSERT_TRUE(snapshots->Write(state).ok());
  }

  void WriteFinal(float value) {
    const std::vector<float> values(layout_.size, value);
    const auto bytes = EncodeParameters(layout_, values, {{"frames", "100"}});
    ASSERT_TRUE(WriteFileAtomically(FinalNetworkFile(run_), *bytes).ok());
  }

  StatusOr<RunNetwork> Read() const { return ReadRunNetwork(run_, config_, layout_); }

  fs::path run_;
  Config config_;
  ParameterLayout layout_;
};

TEST_F(RunNetworkTest, TheShardsNewestSnapshotsMakeTheNetworkOfALaunchedRun) {
  Snapshot(0, 1, 10);
  Snapshot(1, 1, 12);
  Snapshot(0, 2, 20);
  const auto network = Read();
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->versions, "versions 20, 12");
  EXPECT_THAT(network->warnings, IsEmpty());
  ASSERT_THAT(network->parameters, SizeIs(layout_.size));
  EXPECT_EQ(network->parameters.front(), 2);
  EXPECT_EQ(network->parameters.back(), 1);
}

TEST_F(RunNetworkTest, AMissingSliceIsNamed) {
  Snapshot(0, 1, 10);
  const Status status = Read().status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("parameter-server-1"));
}

TEST_F(RunNetworkTest, ADamagedSnapshotIsPassedOverWithAWarning) {
  Snapshot(0, 1, 10);
  Snapshot(1, 1, 10);
  Snapshot(0, 2, 20);
  const auto all = ListCheckpoints(ShardSnapshotFolder(Folder(0))).value();
  ASSERT_THAT(all, SizeIs(2));
  ASSERT_TRUE(WriteFileAtomically(all.front() / "shard.safetensors", "x").ok());
  const auto network = Read();
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->versions, "versions 10, 10");
  EXPECT_THAT(network->warnings, SizeIs(1));
}

TEST_F(RunNetworkTest, AFinalNetworkCountsUntilTheRunIsNotFinishedAnyMore) {
  Snapshot(0, 1, 10);
  Snapshot(1, 1, 10);
  WriteFinal(5);
  ASSERT_TRUE(WriteFileAtomically(run_ / "evaluation.json", "{}").ok());
  EXPECT_THAT(Read()->parameters, Each(5));
  fs::remove(run_ / "evaluation.json");
  EXPECT_THAT(Read()->parameters, Each(1));
}

TEST_F(RunNetworkTest, RemovingResultsLeavesNothingOfAnEarlierEnd) {
  WriteFinal(5);
  for (const char* const name : {"evaluation.json", "report.html", "episode.gif"}) {
    ASSERT_TRUE(WriteFileAtomically(run_ / name, "old").ok());
  }
  ASSERT_TRUE(CreateFolders(run_ / "evaluations").ok());
  ASSERT_TRUE(WriteFileAtomically(run_ / "evaluations" / "sticky.json", "old").ok());
  ASSERT_TRUE(RemoveResults(run_).ok());
  for (const auto& entry : fs::directory_iterator(run_)) {
    EXPECT_TRUE(entry.is_directory()) << entry.path();
    EXPECT_NE(entry.path().filename(), "evaluations");
  }
  EXPECT_TRUE(absl::IsNotFound(Read().status()));
}

}  // namespace
}  // namespace gorila
