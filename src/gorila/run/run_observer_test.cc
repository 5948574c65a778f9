#include "gorila/run/run_observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/metrics/testing.h"
#include "gorila/run/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::SizeIs;
using testing_config::SmallConfig;
using testing_run::MakeCluster;

class RunObserverTest : public ::testing::Test {
 protected:
  RunObserverTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~RunObserverTest() override { fs::remove_all(folder_); }

  // Trains for `records` records of 40 rounds, looking every `looks` rounds; what was logged.
  std::string Train(int records, int looks) {
    const fs::path path = folder_ / fmt::format("{}.jsonl", looks);
    const auto cluster = MakeCluster(SmallConfig());
    RunObserver observer(/*wall_time=*/false);
    observer.Observe(*cluster, 0);
    RunLog log = RunLog::Open(path).value();
    for (int round = 1; round <= records * 40; ++round) {
      EXPECT_TRUE(cluster->StepAll().ok());
      if (round % looks == 0) observer.Observe(*cluster, 0);
      if (round % 40 != 0) continue;
      observer.Observe(*cluster, 0);
      EXPECT_TRUE(observer.AppendTrainingRecord(log).ok());
      cluster->EndRecord();
    }
    last_ = observer.progress();
    return ReadFile(path).value();
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  ProgressSnapshot last_;
};

TEST_F(RunObserverTest, RecordsDoNotDependOnHowOftenTheRunIsLookedAt) {
  const std::string seldom = Train(4, 40);
  EXPECT_EQ(Train(4, 1), seldom);
  EXPECT_EQ(Train(4, 7), seldom);
}

TEST_F(RunObserverTest, RecordsHaveWhatPeopleWatch) {
  Train(4, 40);
  const auto records = ReadRunLog(folder_ / "40.jsonl").value();
  ASSERT_THAT(records, SizeIs(4));
  double arrived = 0;
  for (const RunLogRecord& record : records) {
    EXPECT_THAT(record.Numbers("bundle_returns"), SizeIs(2));
    const auto counts = record.Numbers("staleness_counts");
    arrived += std::accumulate(counts.begin(), counts.end(), 0.0);
    EXPECT_FALSE(record.Number("resident_bytes").has_value()) << "no wall time was asked for";
  }
  const RunLogRecord& last = records.back();
  EXPECT_EQ(arrived, *last.Number("gradients_accepted") + *last.Number("gradients_stale"));
  EXPECT_GT(*last.Number("gradient_norm"), 0);
  EXPECT_GE(*last.Number("value_max"), *last.Number("value_mean"));
}

TEST_F(RunObserverTest, TheEntropyIsAFieldOnlyOfRecordsInWhichAPolicyWasLearnt) {
  RunObserver observer(/*wall_time=*/false);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  RunSample sample;
  observer.Observe(sample, {}, 0);
  const auto record = [&](const LearnerStatistics& learning) {
    sample.frames += 100;
    sample.learning = learning;
    observer.Observe(sample, {}, 1);
    EXPECT_TRUE(observer.AppendTrainingRecord(log).ok());
    return ReadRunLog(folder_ / "log.jsonl").value().back();
  };
  const RunLogRecord values = record({.batches = 4, .value_sum = 8});
  EXPECT_EQ(values.Number("value_mean"), 2);
  EXPECT_FALSE(values.Number("entropy").has_value());
  EXPECT_FALSE(values.Number("policy_loss").has_value());
  const RunLogRecord policy = record({.batches = 4,
                                      .entropies = 4,
                                      .entropy_sum = 6,
                                      .policy_loss_sum = -2,
                                      .baseline_loss_sum = 1});
  EXPECT_EQ(policy.Number("entropy"), 1.5);
  EXPECT_EQ(policy.Number("policy_loss"), -0.5);
  EXPECT_EQ(policy.Number("baseline_loss"), 0.25);
  EXPECT_FALSE(record({}).Number("entropy").has_value()) << "of the record before";
  // Not as null either.
  const std::string text = ReadFile(folder_ / "log.jsonl").value();
  EXPECT_EQ(text.find("\"entropy\""), text.rfind("\"entropy\"")) << text;
}

TEST_F(RunObserverTest, SharesOfTimeAddUp) {
  Train(4, 10);
  EXPECT_NEAR(std::accumulate(last_.work.begin(), last_.work.end(), 0.0), 1, 1e-9);
  EXPECT_FALSE(last_.bottleneck.empty());
  EXPECT_THAT(last_.per_bundle, SizeIs(2));
}

TEST_F(RunObserverTest, TheTimeOfThoseWhoLearnNamesTheBottleneck) {
  RunObserver observer(/*wall_time=*/true);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  RunSample sample;
  sample.per_bundle = {{.episodes = {}, .work = {}, .learns = false}};
  sample.learner_work = {{}, {}};
  observer.Observe(sample, {}, 0);
  sample.frames = 100;
  sample.per_bundle[0].work = {90, 10, 0, 0, 0};
  sample.learner_work = {{0, 3, 1, 0, 0}, {0, 1, 1, 2, 0}};
  observer.Observe(sample, {}, 1);
  EXPECT_EQ(observer.progress().bottleneck, "replay");
  EXPECT_THAT(observer.progress().work, ::testing::ElementsAre(0, 0.5, 0.25, 0.25, 0));
  EXPECT_THAT(observer.progress().learner_work.at(1),
              ::testing::ElementsAre(0, 0.25, 0.25, 0.5, 0));
  ASSERT_TRUE(observer.AppendTrainingRecord(log).ok());
  const auto records = ReadRunLog(folder_ / "log.jsonl").value();
  EXPECT_THAT(records.back().Numbers("bundle_work"), ::testing::ElementsAre(0.9, 0.1, 0, 0, 0));
  EXPECT_THAT(records.back().Numbers("learner_work"),
              ::testing::ElementsAre(0, 0.75, 0.25, 0, 0, 0, 0.25, 0.25, 0.5, 0));
  EXPECT_EQ(records.back().Text("bottleneck"), "replay");
}

TEST_F(RunObserverTest, EachWorkerHasItsRatesAndStaleness) {
  RunObserver observer(/*wall_time=*/true);
  RunSample sample;
  sample.per_bundle = {{.counts = {.frames = 100, .gradients = 10, .lags = 10, .lag_sum = 5}},
                       {.learns = false, .counts = {.frames = 100}}};
  sample.learner_work = {{}};
  sample.learner_counts = {{.gradients = 20, .lags = 4, .lag_sum = 6}};
  observer.Observe(sample, {}, 0);
  sample.per_bundle[0].counts = {.frames = 300, .gradients = 50};  // a new record of metrics
  observer.Observe(sample, {}, 1);
  const ProgressSnapshot& seen = observer.progress();
  ASSERT_THAT(seen.per_bundle, SizeIs(2));
  EXPECT_GT(seen.per_bundle[0].rates.frames_per_second, 0);
  EXPECT_NEAR(seen.per_bundle[0].rates.frames_per_second,
              5 * seen.per_bundle[0].rates.updates_per_second, 1e-6);
  EXPECT_EQ(seen.per_bundle[0].rates.staleness, 0.5) << "the last that is known";
  EXPECT_FALSE(seen.per_bundle[1].learns);
  EXPECT_EQ(seen.per_bundle[1].rates.frames_per_second, 0);
  EXPECT_TRUE(std::isnan(seen.per_bundle[1].rates.updates_per_second));
  EXPECT_TRUE(std::isnan(seen.per_bundle[1].rates.staleness));
  ASSERT_THAT(seen.learner_rates, SizeIs(1));
  EXPECT_EQ(seen.learner_rates[0].staleness, 1.5);
  EXPECT_TRUE(std::isnan(seen.learner_rates[0].frames_per_second));
}

TEST_F(RunObserverTest, BundlesOfThisProcessAreCounted) {
  std::uint64_t frames = 0;
  const auto cluster = MakeCluster(SmallConfig());
  for (int round = 0; round < 60; ++round) ASSERT_TRUE(cluster->StepAll().ok());
  for (const BundleSample& bundle : SampleCluster(*cluster).per_bundle) {
    frames += static_cast<std::uint64_t>(bundle.counts.frames);
    EXPECT_GT(bundle.counts.gradients, 0);
    EXPECT_EQ(bundle.counts.lags, bundle.counts.gradients);
    EXPECT_GE(bundle.counts.lag_sum, 0);
  }
  EXPECT_EQ(frames, static_cast<std::uint64_t>(cluster->clock().frames()));
}

// Three games, the last of which has not ended an episode.
RunSample SampleOfGames() {
  RunSample sample;
  sample.frames = 600;
  sample.game_frames = {300, 200, 100};
  sample.episodes = {{.episode_return = 1, .length = 10, .game = 0},
                     {.episode_return = 3, .length = 30, .game = 0},
                     {.episode_return = 100, .length = 5, .game = 1}};
  sample.per_bundle = {{.episodes = sample.episodes}};
  return sample;
}

const std::vector<std::string> kThreeGames = {"b/pong", "a/pong", "c/chess"};

TEST_F(RunObserverTest, RecordsOfSeveralGamesHaveAnObjectForEach) {
  RunObserver observer(/*wall_time=*/false, kThreeGames);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  EventFile events = EventFile::Create(folder_ / "events", 0, /*wall_time=*/false).value();
  observer.Observe(RunSample(), {}, 0);
  RunSample sample = SampleOfGames();
  observer.Observe(sample, {}, 1);
  ASSERT_THAT(observer.progress().per_game, SizeIs(3));
  EXPECT_EQ(observer.progress().per_game[0].recent_return, 2);
  EXPECT_TRUE(std::isnan(observer.progress().per_game[2].recent_return));
  ASSERT_TRUE(observer.AppendTrainingRecord(log, &events).ok());
  sample.frames = 700;
  sample.game_frames = {350, 250, 100};
  sample.episodes = {{.episode_return = 7, .length = 10, .game = 0}};
  sample.per_bundle[0].episodes = sample.episodes;
  observer.Observe(sample, {}, 2);
  EXPECT_NEAR(observer.progress().per_game[0].recent_return, 11 / 3., 1e-9);
  ASSERT_TRUE(observer.AppendTrainingRecord(log, &events).ok());
  const auto records = ReadRunLog(folder_ / "log.jsonl").value();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].Number("return_episodes"), 3) << "of all games together";
  const RunLogRecord& pong = *records[0].Object("games")->Object("b/pong");
  EXPECT_EQ(pong.Number("frames"), 300);
  EXPECT_EQ(pong.Number("episodes"), 2);
  EXPECT_EQ(pong.Number("return_episodes"), 2);
  EXPECT_EQ(pong.Number("return_mean"), 2);
  EXPECT_NEAR(*pong.Number("return_standard_deviation"), std::sqrt(2.0), 1e-9);
  EXPECT_EQ(pong.Number("length_mean"), 20);
  EXPECT_EQ(records[0].Object("games")->Object("a/pong")->Number("return_mean"), 100);
  EXPECT_TRUE(std::isnan(*records[0].Object("games")->Object("c/chess")->Number("return_mean")));
  const RunLogRecord& later = *records[1].Object("games")->Object("b/pong");
  EXPECT_EQ(later.Number("episodes"), 3) << "since the run began";
  EXPECT_EQ(later.Number("return_episodes"), 1) << "since the record before";
  EXPECT_EQ(later.Number("return_mean"), 7);
  EXPECT_EQ(records[1].Object("games")->Object("a/pong")->Number("episodes"), 1);
  EXPECT_THAT(ReadFile(fs::directory_iterator(folder_ / "events")->path()).value(),
              ::testing::HasSubstr("training/return_mean/b/pong"));
}

TEST_F(RunObserverTest, TheRecordOfOneGameHasNoGames) {
  RunObserver observer(/*wall_time=*/false, {"classic/catch"});
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  observer.Observe(RunSample(), {}, 0);
  observer.Observe(SampleOfGames(), {}, 1);
  ASSERT_TRUE(observer.AppendTrainingRecord(log).ok());
  EXPECT_EQ(ReadRunLog(folder_ / "log.jsonl").value().back().Object("games"), nullptr);
  EXPECT_TRUE(observer.progress().per_game.empty());
  RunObserver without(/*wall_time=*/false);
  without.Observe(RunSample(), {}, 0);
  without.Observe(SampleOfGames(), {}, 1);
  RunLog other = RunLog::Open(folder_ / "other.jsonl").value();
  ASSERT_TRUE(without.AppendTrainingRecord(other).ok());
  EXPECT_EQ(observer.SaveState().size(), without.SaveState().size()) << "as older versions have it";
}

TEST_F(RunObserverTest, EachGameContinuesByItsNameAfterAResume) {
  RunObserver before(/*wall_time=*/false, kThreeGames);
  before.Observe(SampleOfGames(), {}, 1);
  RunObserver after(/*wall_time=*/false, {"c/chess", "b/pong", "d/new"});
  ASSERT_TRUE(after.RestoreState(before.SaveState()).ok());
  RunSample sample;
  sample.episodes = {{.episode_return = 5, .length = 10, .game = 1}};
  after.Observe(sample, {}, 2);
  EXPECT_EQ(after.progress().per_game[0].frames, 100u) << "not told anew";
  EXPECT_EQ(after.progress().per_game[1].episodes, 3u);
  EXPECT_EQ(after.progress().per_game[1].recent_return, 3);
  EXPECT_EQ(after.progress().per_game[2].episodes, 0u);

  RunObserver one(/*wall_time=*/false, {"classic/catch"});
  one.Observe(SampleOfGames(), {}, 1);
  RunObserver several(/*wall_time=*/false, kThreeGames);
  ASSERT_TRUE(several.RestoreState(one.SaveState()).ok());
  several.Observe(RunSample(), {}, 2);
  EXPECT_EQ(several.progress().per_game[0].episodes, 3u) << "the only game before others joined";
  EXPECT_EQ(several.progress().per_game[1].episodes, 0u);
  ASSERT_TRUE(one.RestoreState(before.SaveState()).ok());
}

TEST_F(RunObserverTest, ARecordOfManyThreadsIsNoLongerThanOneOfFew) {
  RunObserver observer(/*wall_time=*/true);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  RunSample sample;
  sample.per_bundle.resize(500);
  sample.learner_work.resize(200);
  observer.Observe(sample, {}, 0);
  sample.frames = 100;
  for (std::size_t i = 0; i < 500; ++i) {
    const double part = 1 / (3 + static_cast<double>(i));
    sample.per_bundle[i].work = {part, 1 - part, 0, 0, 0};
    sample.per_bundle[i].episodes = {{.episode_return = static_cast<double>(i), .length = 10}};
  }
  for (WorkSeconds& work : sample.learner_work) work = {0, 0.25, 0.75, 0, 0};
  observer.Observe(sample, {}, 1);
  EXPECT_EQ(observer.progress().lowest_bundle_return, 0);
  EXPECT_EQ(observer.progress().highest_bundle_return, 499);
  ASSERT_TRUE(observer.AppendTrainingRecord(log, nullptr, {}).ok());
  EXPECT_LT(log.bytes(), 2000u);
  const auto records = ReadRunLog(folder_ / "log.jsonl").value();
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].Number("bundle_count"), 500);
  EXPECT_EQ(records[0].Number("bundle_return_min"), 0);
  EXPECT_EQ(records[0].Number("bundle_return_mean"), 249.5);
  EXPECT_EQ(records[0].Number("bundle_return_max"), 499);
  EXPECT_EQ(records[0].Numbers("bundle_work_max")[0], 0.3333);
  EXPECT_EQ(records[0].Numbers("bundle_work_max")[1], 0.998);
  EXPECT_EQ(records[0].Number("learner_count"), 200);
  EXPECT_THAT(records[0].Numbers("learner_work_mean"), ::testing::ElementsAre(0, 0.25, 0.75, 0, 0));
}

TEST_F(RunObserverTest, EventFilesGrowEverMoreSlowly) {
  RunObserver observer(/*wall_time=*/false);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  EventFile events = EventFile::Create(folder_ / "events", 0, /*wall_time=*/false).value();
  RunSample sample;
  sample.per_bundle.resize(1);
  sample.gradients.staleness[0] = 1;
  observer.Observe(sample, {}, 0);
  std::uint64_t after_thousand = 0;
  for (int record = 1; record <= 20'000; ++record) {
    sample.frames += 100;
    ++sample.gradients.staleness[0];
    sample.per_bundle[0].episodes = {{.episode_return = 1.0 * record, .length = 10}};
    observer.Observe(sample, {}, 0);
    ASSERT_TRUE(observer.AppendTrainingRecord(log, &events).ok());
    if (record == 1000) after_thousand = events.folder_bytes();
  }
  EXPECT_LT(events.folder_bytes(), 5 * after_thousand);
  EXPECT_GT(events.folder_bytes(), 3 * after_thousand) << "late records come too";
}

TEST_F(RunObserverTest, RecordsEndWithWhatTheCallerAdds) {
  const auto cluster = MakeCluster(SmallConfig());
  RunObserver observer(false);
  observer.Observe(*cluster, 0);
  ASSERT_TRUE(cluster->StepAll().ok());
  observer.Observe(*cluster, 0);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  const std::vector<RunLogField> more = {{"evaluations", 7}};
  ASSERT_TRUE(observer.AppendTrainingRecord(log, nullptr, more).ok());
  EXPECT_THAT(ReadFile(folder_ / "log.jsonl").value(),
              ::testing::EndsWith(",\"evaluations\":7}\n"));
}

TEST_F(RunObserverTest, GoesOnFromItsState) {
  const auto cluster = MakeCluster(SmallConfig());
  RunObserver observer(false);
  observer.Observe(*cluster, 0);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(cluster->StepAll().ok());
  observer.Observe(*cluster, 0);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  ASSERT_TRUE(observer.AppendTrainingRecord(log).ok());
  RunObserver restored(false);
  ASSERT_TRUE(restored.RestoreState(observer.SaveState()).ok());
  restored.Observe(*cluster, 0);
  EXPECT_EQ(restored.progress().recent_return, observer.progress().recent_return);
  EXPECT_EQ(restored.progress().per_bundle[1].recent_return,
            observer.progress().per_bundle[1].recent_return);
  EXPECT_GE(restored.progress().cpu_seconds, observer.progress().cpu_seconds);
  EXPECT_TRUE(absl::IsDataLoss(restored.RestoreState("short")));
}

TEST(BottleneckTest, IsTheLargestPartThatIsNotWaiting) {
  EXPECT_EQ(Bottleneck({0.1, 0.2, 0.3, 0.1, 0.3}), "learner");
  EXPECT_EQ(Bottleneck({0.2, 0.1, 0, 0, 0.7}), "actor");
  EXPECT_EQ(Bottleneck({0, 0, 0, 0, 1}), "");
}

}  // namespace
}  // namespace gorila
