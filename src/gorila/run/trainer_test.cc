#include "gorila/run/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/config/config_load.h"
#include "gorila/config/resolve.h"
#include "gorila/metrics/testing.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/run_report.h"
#include "gorila/run/run_results.h"
#include "gorila/run/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_config::SmallConfig;

class TrainerTest : public testing::Test {
 protected:
  TrainerTest() : config_(SmallConfig()) {
    config_.run.frames = 6000;
    config_.run.metrics_every_frames = 1000;
    config_.evaluation.episodes = 5;
    config_.evaluation.periodic_episodes = 3;
    config_.evaluation.every_frames = 2500;
    config_.evaluation.best = true;
    config_.checkpoint.every_seconds = 0;
  }
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("trainer_test-{}", ::getpid());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  TrainingOutcome Train(const TrainerHooks& hooks = {}) {
    return Trainer::Start(config_, folder_).value()->Run(hooks).value();
  }
  TrainingOutcome Resume(const TrainerHooks& hooks = {}) {
    return Trainer::Resume(config_, RunDirectory::Open(folder_).value(), hooks)
        .value()
        ->Run(hooks)
        .value();
  }

  // Frames of the log's records of one kind, in their order.
  std::vector<std::int64_t> FramesOf(std::string_view kind) const {
    std::vector<std::int64_t> frames;
    const std::vector<RunLogRecord> records = ReadRunLog(folder_ / "metrics.jsonl").value();
    for (const RunLogRecord& record : records) {
      if (record.Text("kind") != kind) continue;
      frames.push_back(static_cast<std::int64_t>(*record.Number("frames")));
    }
    return frames;
  }

  // How many evaluations came due before `frames`, by the log.
  std::int64_t EvaluationsUntil(std::int64_t frames) const {
    std::int64_t due = 0;
    const std::vector<RunLogRecord> records = ReadRunLog(folder_ / "metrics.jsonl").value();
    for (const RunLogRecord& record : records) {
      if (record.Number("frames").value_or(0) >= static_cast<double>(frames)) continue;
      if (record.Text("kind") == "evaluation") ++due;
      if (record.Text("kind") == "skipped_evaluation") {
        due += static_cast<std::int64_t>(*record.Number("count"));
      }
    }
    return due;
  }

  Config config_;
  fs::path folder_;
};

TEST_F(TrainerTest, TheLastNetworkIsACandidateForTheBest) {
  const TrainingOutcome outcome = Train();
  EXPECT_THAT(FramesOf("evaluation"), ElementsAre(2502, 5004, 6000));
  EXPECT_EQ(outcome.score.evaluations, 3);
  EXPECT_EQ(outcome.score.last_frames, 6000);
  // The last network is scored beside the best, once when they are one.
  EXPECT_EQ(outcome.score.last.has_value(), outcome.score.frames != 6000);
}

TEST_F(TrainerTest, AnEvaluationThatCameDueWithTheLastFramesIsNotRepeated) {
  config_.evaluation.every_frames = 3000;
  Train();
  EXPECT_THAT(FramesOf("evaluation"), ElementsAre(3000, 6000));
}

TEST_F(TrainerTest, ALengthenedRunEndsWithAnEvaluation) {
  Train();
  config_.run.frames = 9000;
  const TrainingOutcome outcome = Resume();
  EXPECT_EQ(FramesOf("evaluation").back(), 9000);
  EXPECT_EQ(outcome.score.last_frames, 9000);
}

// Whoever kills it at once must not find a finished run of the new length.
TEST_F(TrainerTest, ALengthenedRunIsUnfinishedBeforeItsConfigurationChanges) {
  const TrainingOutcome outcome = Train();
  ASSERT_TRUE(WriteRunReport(folder_, config_, outcome, {}).ok());
  ASSERT_TRUE(ReadFinalEvaluation(folder_).ok());
  config_.run.frames = 9000;
  ASSERT_TRUE(Trainer::Resume(config_, RunDirectory::Open(folder_).value(), {}).ok());
  EXPECT_EQ(LoadRunConfig(folder_ / "config.toml")->run.frames, 9000);
  EXPECT_TRUE(absl::IsNotFound(ReadFinalEvaluation(folder_).status()));
  EXPECT_TRUE(HasFinalNetwork(folder_)) << "no newer state has superseded it";
}

// Its lines are not worth the score of weeks.
TEST_F(TrainerTest, ADamagedOrLostLogDoesNotCostTheReport) {
  const TrainingOutcome outcome = Train();
  const std::vector<RunLogRecord> records = ReadRunLog(folder_ / "metrics.jsonl").value();
  std::ofstream(folder_ / "metrics.jsonl", std::ios::app) << "\x01garbage\n";
  const Status damaged = WriteRunReport(folder_, config_, outcome, {});
  EXPECT_TRUE(absl::IsDataLoss(damaged));
  EXPECT_THAT(std::string(damaged.message()),
              AllOf(HasSubstr("metrics.jsonl"),
                    HasSubstr(fmt::format("line {}", records.size() + 1)), HasSubstr("garbage")));
  const auto record = ReadFinalEvaluation(folder_);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_TRUE(std::isfinite(record->context->training_return)) << "the other lines were not read";
  const std::vector<std::string> names = {"evaluation.json", "report.html", "report.json",
                                          "report.md",       "curve.svg",   "curve.png"};
  for (const std::string& name : names) EXPECT_TRUE(fs::remove(folder_ / name)) << name;
  fs::remove(folder_ / "metrics.jsonl");
  EXPECT_TRUE(absl::IsNotFound(WriteRunReport(folder_, config_, outcome, {})));
  for (const std::string& name : names) EXPECT_TRUE(fs::exists(folder_ / name)) << name;
}

TEST_F(TrainerTest, ANewerCheckpointNeverStandsBesideOldResults) {
  const TrainingOutcome outcome = Train();
  ASSERT_TRUE(WriteRunReport(folder_, config_, outcome, {}).ok());
  config_.run.frames = 9000;
  config_.checkpoint.every_frames = 600;
  int looks = 0;
  TrainerHooks hooks;
  hooks.progress = [&](const ProgressSnapshot&) {
    const auto checkpoints = ListCheckpoints(folder_ / "checkpoints").value();
    if (std::stoll(checkpoints.front().filename().string()) <= 6000) return;
    ++looks;
    for (const char* const name : {"evaluation.json", "report.html", "report.json", "curve.png",
                                   "episode.gif", "final.safetensors"}) {
      EXPECT_FALSE(fs::exists(folder_ / name)) << name;
    }
  };
  Resume(hooks);
  EXPECT_GT(looks, 0);
}

TEST_F(TrainerTest, AThreadedRunAccountsForEveryEvaluation) {
  config_.run.deterministic = false;
  config_.run.frames = 60000;
  const TrainingOutcome outcome = Train();
  ASSERT_TRUE(outcome.finished);
  // One more where the 24th was taken before the very last frames.
  EXPECT_THAT(EvaluationsUntil(outcome.score.last_frames + 1), ::testing::AnyOf(24, 25));
  EXPECT_EQ(FramesOf("evaluation").back(), outcome.score.last_frames);
}

// The stop comes while an evaluation is in flight: 2000 games take longer than training for them.
TEST_F(TrainerTest, AStoppedRunHasItsEvaluationsAfterResume) {
  config_.run.deterministic = false;
  config_.run.frames = 100000000;
  config_.evaluation.every_frames = 10000;
  config_.evaluation.periodic_episodes = 2000;
  bool stop = false;
  const TrainerHooks hooks{
      .stop_requested = [&stop] { return stop; },
      .progress = [&stop](const ProgressSnapshot& now) { stop = now.frames > 10000; },
      .message = {}};
  const TrainingOutcome stopped = Train(hooks);
  ASSERT_FALSE(stopped.finished);
  const auto frames = static_cast<std::int64_t>(stopped.progress.frames);
  config_.run.frames = frames + 1000;
  config_.evaluation.every_frames = 1000000;
  ASSERT_TRUE(Resume().finished);
  EXPECT_EQ(EvaluationsUntil(frames + 1), frames / 10000);
}

// Its last evaluation comes due with its last frames.
TEST_F(TrainerTest, ALengthenedThreadedRunKeepsTheEvaluationAtItsOldEnd) {
  config_.run.deterministic = false;
  config_.run.frames = 20000;
  config_.evaluation.every_frames = 10000;
  const std::int64_t end = Train().score.last_frames;
  ASSERT_EQ(EvaluationsUntil(end + 1), 2);
  config_.run.frames = end + 5000;
  ASSERT_TRUE(Resume().finished);
  EXPECT_EQ(EvaluationsUntil(end + 1), 2);
}

TEST_F(TrainerTest, ARunThatCannotLearnIsRefusedBeforeItHasADirectory) {
  config_.run.frames = 90;
  EXPECT_THAT(std::string(Trainer::Start(config_, folder_).status().message()),
              HasSubstr("run.frames is 90, and the first update would come after 102"));
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(TrainerTest, NetworksLargerThanTheMachineAreRefused) {
  config_.run.bundles = 4096;
  config_.run.frames = 100000000;
  config_.network.hidden = {16384, 16384};
  EXPECT_THAT(std::string(Trainer::Check(config_).message()),
              HasSubstr("networks and minibatches would take"));
}

// 67 million states of a minibatch, whose layers the network keeps: terabytes.
TEST_F(TrainerTest, UnrollsLargerThanTheMachineAreRefused) {
  config_.replay.options.selector.name = "queue";
  config_.replay.options.transition.n_step = 1;
  config_.network.convolutions = {};
  config_.network.hidden = {16384};
  config_.replay.options.capacity = 4000;  // an unroll of each environment
  config_.learner.batch_size = 65536;
  config_.learner.agent = {.algorithm = "vtrace", .unroll = 1024};
  EXPECT_THAT(std::string(Trainer::Check(config_).message()),
              AllOf(HasSubstr("networks and minibatches would take"),
                    HasSubstr("learner.batch_size 65536 of learner.unroll 1024")));
  config_.learner.batch_size = 1;
  config_.learner.agent.unroll = 20;
  EXPECT_THAT(std::string(Trainer::Check(config_).message()),
              testing::Not(HasSubstr("networks and minibatches")));
}

TEST_F(TrainerTest, TheProbabilitiesInRecordsOfUnrollsCount) {
  const NetworkSpec network = ResolveNetwork(config_).value();
  config_.replay.options.selector.name = "queue";
  const std::int64_t before = Trainer::ExpectedReplayBytes(config_, network);
  config_.learner.agent = {.algorithm = "vtrace"};
  EXPECT_EQ(Trainer::ExpectedReplayBytes(config_, network) - before,
            config_.run.bundles * config_.replay.options.capacity *
                static_cast<std::int64_t>(sizeof(float)));
}

// 4e9 records of a mebibyte, 4096 times, do not fit into 64 bits.
TEST_F(TrainerTest, AReplayLargerThanNumbersIsRefused) {
  config_.run.bundles = 4096;
  config_.run.frames = 100000000;
  config_.replay.options.capacity = 4000000000;
  config_.replay.options.frames = {.compression = FrameCompression::kZstd,
                                   .compressed_frame_bytes = 1 << 20};
  EXPECT_THAT(std::string(Trainer::Check(config_).message()),
              HasSubstr("replay memory would take"));
}

TEST_F(TrainerTest, AnEncodingOfWhatDoesNotTravelIsRefused) {
  config_.parameter_server.encoding = GradientEncoding::kTopK;
  EXPECT_THAT(std::string(Trainer::Check(config_).message()),
              HasSubstr("parameter_server.encoding is topk"));
}

TEST_F(TrainerTest, ADivergedRunSaysSoAndIsScored) {
  config_.learner.agent.loss = TdErrorLoss::kSquared;
  config_.parameter_server.options.optimizer = {.name = "sgd", .learning_rate = 1000};
  std::string said;
  const TrainerHooks hooks{.stop_requested = {}, .progress = {}, .message = [&](auto line) {
                             said += std::string(line) + "\n";
                           }};
  const TrainingOutcome outcome = Train(hooks);
  EXPECT_TRUE(outcome.finished);
  EXPECT_THAT(outcome.problem, HasSubstr("the run diverged"));
}

}  // namespace
}  // namespace gorila
