#include "gorila/run/run_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <set>

#include "gorila/base/file.h"
#include "gorila/config/resolve.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing_config::SmallConfig;
using testing_run::ExpectCountersAddUp;
using testing_run::MakeCluster;
using testing_run::ReadServer;
using testing_run::StepAll;
using testing_run::SumOfLearners;

class RunCheckpointTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / fmt::format("run_checkpoint_test-{}", ::getpid());
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  // Captures and writes; the newest checkpoint.
  Checkpoint Save(RunCheckpointer& checkpointer, Cluster& cluster, const RunMemory& memory = {}) {
    EXPECT_TRUE(checkpointer.Capture(cluster, memory).ok());
    EXPECT_TRUE(checkpointer.Write().ok());
    return NewestCompleteCheckpoint(root_)->checkpoint;
  }

  // A new cluster, restored.
  std::unique_ptr<Cluster> Restored(const Checkpoint& checkpoint, const Config& config,
                                    bool with_replay = true) {
    auto cluster = MakeCluster(config);
    RunCheckpointer checkpointer(root_, with_replay, 2);
    const Status status = checkpointer.Restore(checkpoint, *cluster).status();
    EXPECT_TRUE(status.ok()) << status;
    return cluster;
  }

  Status RestoreStatus(const Checkpoint& checkpoint, const Config& config,
                       bool with_replay = true) {
    const auto cluster = MakeCluster(config);
    return RunCheckpointer(root_, with_replay, 2).Restore(checkpoint, *cluster).status();
  }

  static std::set<std::string> Segments(const Checkpoint& checkpoint) {
    std::set<std::string> names;
    for (const CheckpointFile& file : checkpoint.files()) {
      if (file.name.starts_with("replay/")) names.insert(file.name);
    }
    return names;
  }

  fs::path root_;
};

void ExpectSameRun(Cluster& a, Cluster& b) {
  EXPECT_EQ(a.clock().frames(), b.clock().frames());
  EXPECT_EQ(a.store().UpdateCount(), b.store().UpdateCount());
  EXPECT_EQ(ReadServer(a), ReadServer(b));
  for (std::size_t i = 0; i < a.bundles().size(); ++i) {
    const BundleStatus from_a = a.bundles()[i]->TakeStatus();
    const BundleStatus from_b = b.bundles()[i]->TakeStatus();
    EXPECT_EQ(from_a.learner.gradients, from_b.learner.gradients);
    EXPECT_EQ(from_a.learner.loss, from_b.learner.loss);
    EXPECT_EQ(from_a.epsilon, from_b.epsilon);
    EXPECT_EQ(from_a.replay.rows, from_b.replay.rows);
    EXPECT_EQ(from_a.replay.transitions, from_b.replay.transitions);
  }
}

TEST_F(RunCheckpointTest, ARestoredRunGoesOnBitForBit) {
  const auto original = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  StepAll(*original, 60);
  const Checkpoint checkpoint = Save(checkpointer, *original);
  EXPECT_EQ(checkpoint.number(), 360u) << "its frames";
  EXPECT_EQ(checkpointer.newest_frames(), 360);
  const auto restored = Restored(checkpoint, SmallConfig());
  EXPECT_EQ(ReadServer(*restored), ReadServer(*original));
  StepAll(*original, 100);
  StepAll(*restored, 100);
  ExpectSameRun(*restored, *original);
  ExpectCountersAddUp(*restored);
}

// Their learners draw noise or taus, and so have a state of their own.
TEST_F(RunCheckpointTest, ARestoredRunOfAStochasticNetworkGoesOnBitForBit) {
  for (const bool noisy : {false, true}) {
    Config config = SmallConfig();
    config.learner.agent.algorithm = noisy ? "dqn" : "iqn";
    config.learner.agent.noise = noisy ? 0.5 : 0;
    const auto original = MakeCluster(config);
    RunCheckpointer checkpointer(root_, true, 2);
    StepAll(*original, 60);
    const auto restored = Restored(Save(checkpointer, *original), config);
    StepAll(*original, 100);
    StepAll(*restored, 100);
    ExpectSameRun(*restored, *original);
    fs::remove_all(root_);
  }
}

// A run of many checkpoints with a replay that wraps, resumed from each of them in turn.
TEST_F(RunCheckpointTest, EveryCheckpointOfALongRunRestores) {
  const auto original = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 1);
  for (int i = 0; i < 8; ++i) {
    StepAll(*original, 40);
    const Checkpoint checkpoint = Save(checkpointer, *original);
    const auto restored = Restored(checkpoint, SmallConfig());
    StepAll(*restored, 5);
    const auto again = Restored(checkpoint, SmallConfig());
    StepAll(*again, 5);
    ExpectSameRun(*restored, *again);
  }
  EXPECT_EQ(original->bundles()[0]->replay().Size().rows, 399) << "full";
}

TEST_F(RunCheckpointTest, AResumedRunWritesCheckpointsThatRestore) {
  const auto original = MakeCluster(SmallConfig());
  auto resumed = MakeCluster(SmallConfig());
  auto checkpointer = std::make_unique<RunCheckpointer>(root_, true, 2);
  for (int i = 0; i < 6; ++i) {
    StepAll(*original, 50);
    ASSERT_TRUE(original->RefreshReplicas().ok());  // as every checkpoint does
    StepAll(*resumed, 50);
    const Checkpoint checkpoint = Save(*checkpointer, *resumed);
    resumed = MakeCluster(SmallConfig());
    checkpointer = std::make_unique<RunCheckpointer>(root_, true, 2);
    ASSERT_TRUE(checkpointer->Restore(checkpoint, *resumed).ok());
    EXPECT_EQ(checkpointer->newest_frames(), resumed->clock().frames());
  }
  StepAll(*original, 20);
  StepAll(*resumed, 20);
  ExpectSameRun(*resumed, *original);
}

TEST_F(RunCheckpointTest, SegmentsAreSharedWhileTheirRowsLiveAndOldCheckpointsGo) {
  const auto cluster = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  std::vector<std::set<std::string>> segments;
  Checkpoint newest(root_, 0, {});
  for (int i = 0; i < 8; ++i) {
    StepAll(*cluster, 40);
    newest = Save(checkpointer, *cluster);
    segments.push_back(Segments(newest));
  }
  EXPECT_EQ(segments[0], (std::set<std::string>{"replay/0-0.segment", "replay/1-1.segment"}));
  for (std::size_t i = 1; i < segments.size(); ++i) {
    // Both bundles' rows since the last checkpoint are new; all others were there.
    std::vector<std::string> added;
    std::set_difference(segments[i].begin(), segments[i].end(), segments[i - 1].begin(),
                        segments[i - 1].end(), std::back_inserter(added));
    EXPECT_THAT(added, SizeIs(2)) << i;
  }
  EXPECT_THAT(segments.back(), Not(Contains("replay/0-0.segment"))) << "its rows are long gone";
  // 133 rows a stream, 44 rows a checkpoint: three or four segments have living rows.
  EXPECT_LE(segments.back().size(), 2 * 5u);
  EXPECT_GE(segments.back().size(), 2 * 3u);

  const auto kept = ListCheckpoints(root_).value();
  ASSERT_THAT(kept, SizeIs(2));
  std::vector<std::string> shared;
  std::set_intersection(segments[6].begin(), segments[6].end(), segments[7].begin(),
                        segments[7].end(), std::back_inserter(shared));
  EXPECT_THAT(shared, SizeIs(segments[7].size() - 2));
  for (const std::string& name : shared) {
    EXPECT_TRUE(fs::equivalent(kept[0] / name, kept[1] / name)) << name << ": one file, two names";
  }
}

// Rows are taken out of the replay once, whether the disk takes them or not.
class FailedWriteTest : public RunCheckpointTest {
 protected:
  void SetUp() override {
    RunCheckpointTest::SetUp();
    checkpointer_.emplace(root_, true, 2);
    StepAll(*cluster_, 40);
    ASSERT_TRUE(WriteFileSynced(root_, "a file where the folder is wanted").ok());
    ASSERT_TRUE(checkpointer_->Capture(*cluster_, {}).ok());
    ASSERT_FALSE(checkpointer_->Write().ok());
  }

  void ExpectRestoresToTheSame(const Checkpoint& checkpoint) {
    const auto restored = Restored(checkpoint, SmallConfig());
    StepAll(*restored, 5);
    StepAll(*cluster_, 5);
    ExpectSameRun(*restored, *cluster_);
  }

  const std::unique_ptr<Cluster> cluster_ = MakeCluster(SmallConfig());
  std::optional<RunCheckpointer> checkpointer_;
};

TEST_F(FailedWriteTest, LosesNothingForTheNextOne) {
  EXPECT_FALSE(checkpointer_->Write().ok());
  StepAll(*cluster_, 40);
  fs::remove(root_);
  ExpectRestoresToTheSame(Save(*checkpointer_, *cluster_));
}

TEST_F(FailedWriteTest, CanBeRepeated) {
  fs::remove(root_);
  // As when the last step of Write, syncing the root, fails.
  fs::create_directories(root_ / fmt::format("{:012}", cluster_->clock().frames()));
  ASSERT_TRUE(checkpointer_->Write().ok());
  ExpectRestoresToTheSame(NewestCompleteCheckpoint(root_)->checkpoint);
}

TEST_F(RunCheckpointTest, RestoresOntoAnotherNumberOfShards) {
  const auto original = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  StepAll(*original, 60);
  const Checkpoint checkpoint = Save(checkpointer, *original);
  StepAll(*original, 40);
  for (const int shards : {1, 5}) {
    Config config = SmallConfig();
    config.parameter_server.shards = shards;
    const auto restored = Restored(checkpoint, config);
    EXPECT_EQ(restored->store().num_shards(), shards);
    EXPECT_EQ(restored->clock().frames(), 360);
    StepAll(*restored, 40);
    // Parameters, target and optimizer state, and the clock that Adam's corrections follow.
    EXPECT_EQ(ReadServer(*restored), ReadServer(*original)) << shards;
    EXPECT_EQ(restored->store().UpdateCount(), original->store().UpdateCount());
  }
}

TEST_F(RunCheckpointTest, KeepsWhatTheTrainerMustRemember) {
  const auto cluster = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  StepAll(*cluster, 30);
  BestNetwork best{
      .mean = 0.1, .frames = 120, .parameters = ReadServer(*cluster).values, .protocol = "noop30"};
  for (float& value : best.parameters) value *= 2;
  const Checkpoint checkpoint = Save(checkpointer, *cluster,
                                     {.seconds = 12.375,
                                      .metrics_bytes = 4567,
                                      .best = best,
                                      .trainer_state = std::string("opaque\0bytes", 12)});
  const auto restored = MakeCluster(SmallConfig());
  const RunMemory memory = RunCheckpointer(root_, true, 2).Restore(checkpoint, *restored).value();
  EXPECT_EQ(memory.seconds, 12.375);
  EXPECT_EQ(memory.metrics_bytes, 4567u);
  EXPECT_EQ(memory.trainer_state, std::string("opaque\0bytes", 12));
  ASSERT_TRUE(memory.best.has_value());
  EXPECT_EQ(memory.best->mean, 0.1);
  EXPECT_EQ(memory.best->frames, 120);
  EXPECT_EQ(memory.best->parameters, best.parameters);
  EXPECT_EQ(memory.best->protocol, "noop30");
  EXPECT_NE(ReadServer(*restored).values, best.parameters) << "training goes on from the last";
}

TEST_F(RunCheckpointTest, WithoutABestNetworkThereIsNone) {
  const auto cluster = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  const Checkpoint checkpoint = Save(checkpointer, *cluster);
  EXPECT_TRUE(absl::IsNotFound(checkpoint.Find("best.safetensors").status()));
  EXPECT_FALSE(RunCheckpointer(root_, true, 2)
                   .Restore(checkpoint, *MakeCluster(SmallConfig()))
                   ->best.has_value());
}

TEST_F(RunCheckpointTest, ParametersAreNamedTensors) {
  const auto cluster = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  StepAll(*cluster, 40);
  const Checkpoint checkpoint = Save(checkpointer, *cluster);
  const Safetensors theta =
      Safetensors::Decode(checkpoint.Read("parameters.safetensors").value()).value();
  EXPECT_EQ(theta.Find("fc1.weight")->shape, (std::vector<std::int64_t>{16, 50}));
  EXPECT_EQ(theta.Find("q.bias")->shape, std::vector<std::int64_t>{3});
  EXPECT_EQ(theta.metadata().at("environment"), "classic/catch");
  EXPECT_EQ(theta.metadata().at("frames"), "240");
  const Safetensors optimizer =
      Safetensors::Decode(checkpoint.Read("optimizer.safetensors").value()).value();
  EXPECT_TRUE(optimizer.Find("mean/fc1.weight").ok());
  EXPECT_TRUE(optimizer.Find("mean_square/q.bias").ok());
}

TEST_F(RunCheckpointTest, WithoutReplayTheRunGoesOnWithAnEmptyOne) {
  const auto original = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, /*with_replay=*/false, 2);
  StepAll(*original, 61);  // in the middle of episodes
  const Checkpoint checkpoint = Save(checkpointer, *original);
  EXPECT_THAT(Segments(checkpoint), IsEmpty());
  const auto restored = Restored(checkpoint, SmallConfig(), /*with_replay=*/false);
  EXPECT_EQ(ReadServer(*restored), ReadServer(*original));
  EXPECT_EQ(restored->bundles()[0]->replay().Size().rows, 0);
  const std::int64_t gradients = SumOfLearners(*restored).gradients;
  StepAll(*restored, 60);
  EXPECT_GT(SumOfLearners(*restored).gradients, gradients);
  for (const auto& bundle : restored->bundles()) bundle->replay().CheckInvariants();
}

TEST_F(RunCheckpointTest, RefusesToRestoreIntoAnotherRun) {
  const auto cluster = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  StepAll(*cluster, 30);
  const Checkpoint checkpoint = Save(checkpointer, *cluster);

  const auto message = [&](const Config& config, bool with_replay = true) {
    const Status status = RestoreStatus(checkpoint, config, with_replay);
    EXPECT_FALSE(status.ok());
    return std::string(status.message());
  };
  Config config = SmallConfig();
  config.network.hidden = {17};
  EXPECT_THAT(message(config), HasSubstr("other outputs"));
  config = SmallConfig();
  config.run.bundles = 3;
  EXPECT_THAT(message(config), HasSubstr("run.bundles is 3; the checkpoint has 2"));
  config = SmallConfig();
  config.parameter_server.options.optimizer.name = "adagrad";
  EXPECT_THAT(message(config), HasSubstr("sum_of_squares"));
  config = SmallConfig();
  config.actor.environments = 4;
  EXPECT_THAT(message(config), HasSubstr("bundle-0.state: the actor's state has 3 environments"));
  EXPECT_THAT(message(SmallConfig(), false), HasSubstr("checkpoint.replay is false"));
}

TEST(DecodeParametersTest, GivesBackTheFlatVector) {
  const ParameterLayout layout = MakeParameterLayout(ResolveNetwork(SmallConfig()).value());
  RandomStream random(5);
  const std::vector<float> values = InitialParameters(layout, random);
  const std::string bytes = EncodeParameters(layout, values, {}).value();
  EXPECT_EQ(DecodeParameters(layout, bytes).value(), values);
}

TEST(DecodeParametersTest, RefusesValuesThatAreNotFinite) {
  const ParameterLayout layout = MakeParameterLayout(ResolveNetwork(SmallConfig()).value());
  for (const float wrong :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> values(layout.size, 0.5f);
    values.back() = wrong;
    const Status status =
        DecodeParameters(layout, EncodeParameters(layout, values, {}).value()).status();
    EXPECT_TRUE(absl::IsDataLoss(status));
    EXPECT_EQ(status.message(),
              "tensor 'q.bias' has 1 of 3 values that are not finite (NaN or infinite)");
  }
}

TEST_F(RunCheckpointTest, NetworksThatWaitForTheirEvaluationAreKept) {
  const auto original = MakeCluster(SmallConfig());
  RunCheckpointer checkpointer(root_, true, 2);
  StepAll(*original, 10);
  RunMemory memory;
  for (const float value : {0.25f, 0.5f}) {
    memory.pending.push_back(std::make_shared<const NetworkInTraining>(
        NetworkInTraining{static_cast<std::int64_t>(100 * value), 7,
                          std::vector<float>(original->layout().size, value)}));
  }
  const Checkpoint checkpoint = Save(checkpointer, *original, memory);
  const auto cluster = MakeCluster(SmallConfig());
  const RunMemory restored = RunCheckpointer(root_, true, 2).Restore(checkpoint, *cluster).value();
  ASSERT_EQ(restored.pending.size(), 2U);
  EXPECT_EQ(restored.pending[0]->frames, 25);
  EXPECT_EQ(restored.pending[1]->frames, 50);
  EXPECT_EQ(restored.pending[1]->updates, 7);
  EXPECT_EQ(restored.pending[1]->parameters, memory.pending[1]->parameters);
}

TEST(DecodeParametersTest, RefusesAnotherNetworksFile) {
  Config config = SmallConfig();
  const ParameterLayout layout = MakeParameterLayout(ResolveNetwork(config).value());
  const std::string bytes = EncodeParameters(layout, std::vector<float>(layout.size), {}).value();
  config.network.hidden = {17};
  const Status shape =
      DecodeParameters(MakeParameterLayout(ResolveNetwork(config).value()), bytes).status();
  EXPECT_TRUE(absl::IsDataLoss(shape));
  EXPECT_THAT(std::string(shape.message()),
              HasSubstr("'fc1.weight' has shape [16, 50], expected [17, 50]"));
  config.network.hidden = {16, 16};
  const Status missing =
      DecodeParameters(MakeParameterLayout(ResolveNetwork(config).value()), bytes).status();
  EXPECT_TRUE(absl::IsNotFound(missing));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("fc2.weight"));
}

}  // namespace
}  // namespace gorila
