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

  // Trains for `rows` rows of 40 rounds, looking every `looks` rounds; what was logged.
  std::string Train(int rows, int looks) {
    const fs::path path = folder_ / fmt::format("{}.jsonl", looks);
    const auto cluster = MakeCluster(SmallConfig());
    RunObserver observer(/*wall_time=*/false);
    observer.Observe(*cluster, 0);
    RunLog log = RunLog::Open(path).value();
    for (int round = 1; round <= rows * 40; ++round) {
      EXPECT_TRUE(cluster->StepAll().ok());
      if (round % looks == 0) observer.Observe(*cluster, 0);
      if (round % 40 != 0) continue;
      observer.Observe(*cluster, 0);
      EXPECT_TRUE(observer.AppendTrainingRow(log).ok());
      cluster->EndRow();
    }
    last_ = observer.progress();
    return ReadFile(path).value();
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  ProgressSnapshot last_;
};

TEST_F(RunObserverTest, RowsDoNotDependOnHowOftenTheRunIsLookedAt) {
  const std::string seldom = Train(4, 40);
  EXPECT_EQ(Train(4, 1), seldom);
  EXPECT_EQ(Train(4, 7), seldom);
}

TEST_F(RunObserverTest, RowsHaveWhatPeopleWatch) {
  Train(4, 40);
  const auto rows = ReadRunLog(folder_ / "40.jsonl").value();
  ASSERT_THAT(rows, SizeIs(4));
  double arrived = 0;
  for (const RunLogRow& row : rows) {
    EXPECT_THAT(row.Numbers("bundle_returns"), SizeIs(2));
    const auto counts = row.Numbers("staleness_counts");
    arrived += std::accumulate(counts.begin(), counts.end(), 0.0);
    EXPECT_FALSE(row.Number("resident_bytes").has_value()) << "no wall time was asked for";
  }
  const RunLogRow& last = rows.back();
  EXPECT_EQ(arrived, *last.Number("gradients_accepted") + *last.Number("gradients_stale"));
  EXPECT_GT(*last.Number("gradient_norm"), 0);
  EXPECT_GE(*last.Number("value_max"), *last.Number("value_mean"));
}

TEST_F(RunObserverTest, TheEntropyIsAFieldOnlyOfRowsInWhichAPolicyWasLearnt) {
  RunObserver observer(/*wall_time=*/false);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  RunSample sample;
  observer.Observe(sample, {}, 0);
  const auto row = [&](const LearnerStatistics& learning) {
    sample.frames += 100;
    sample.learning = learning;
    observer.Observe(sample, {}, 1);
    EXPECT_TRUE(observer.AppendTrainingRow(log).ok());
    return ReadRunLog(folder_ / "log.jsonl").value().back();
  };
  const RunLogRow values = row({.batches = 4, .value_sum = 8});
  EXPECT_EQ(values.Number("value_mean"), 2);
  EXPECT_FALSE(values.Number("entropy").has_value());
  EXPECT_EQ(row({.batches = 4, .entropies = 4, .entropy_sum = 6}).Number("entropy"), 1.5);
  EXPECT_FALSE(row({}).Number("entropy").has_value()) << "of the row before";
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
  ASSERT_TRUE(observer.AppendTrainingRow(log).ok());
  const auto rows = ReadRunLog(folder_ / "log.jsonl").value();
  EXPECT_THAT(rows.back().Numbers("bundle_work"), ::testing::ElementsAre(0.9, 0.1, 0, 0, 0));
  EXPECT_THAT(rows.back().Numbers("learner_work"),
              ::testing::ElementsAre(0, 0.75, 0.25, 0, 0, 0, 0.25, 0.25, 0.5, 0));
  EXPECT_EQ(rows.back().Text("bottleneck"), "replay");
}

TEST_F(RunObserverTest, ARowOfManyThreadsIsNoLongerThanOneOfFew) {
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
  ASSERT_TRUE(observer.AppendTrainingRow(log, nullptr, {}).ok());
  EXPECT_LT(log.bytes(), 2000u);
  const auto rows = ReadRunLog(folder_ / "log.jsonl").value();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].Number("bundle_count"), 500);
  EXPECT_EQ(rows[0].Number("bundle_return_min"), 0);
  EXPECT_EQ(rows[0].Number("bundle_return_mean"), 249.5);
  EXPECT_EQ(rows[0].Number("bundle_return_max"), 499);
  EXPECT_EQ(rows[0].Numbers("bundle_work_max")[0], 0.3333);
  EXPECT_EQ(rows[0].Numbers("bundle_work_max")[1], 0.998);
  EXPECT_EQ(rows[0].Number("learner_count"), 200);
  EXPECT_THAT(rows[0].Numbers("learner_work_mean"), ::testing::ElementsAre(0, 0.25, 0.75, 0, 0));
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
  for (int row = 1; row <= 20'000; ++row) {
    sample.frames += 100;
    ++sample.gradients.staleness[0];
    sample.per_bundle[0].episodes = {{.episode_return = 1.0 * row, .length = 10}};
    observer.Observe(sample, {}, 0);
    ASSERT_TRUE(observer.AppendTrainingRow(log, &events).ok());
    if (row == 1000) after_thousand = events.folder_bytes();
  }
  EXPECT_LT(events.folder_bytes(), 5 * after_thousand);
  EXPECT_GT(events.folder_bytes(), 3 * after_thousand) << "late rows come too";
}

TEST_F(RunObserverTest, RowsEndWithWhatTheCallerAdds) {
  const auto cluster = MakeCluster(SmallConfig());
  RunObserver observer(false);
  observer.Observe(*cluster, 0);
  ASSERT_TRUE(cluster->StepAll().ok());
  observer.Observe(*cluster, 0);
  RunLog log = RunLog::Open(folder_ / "log.jsonl").value();
  const std::vector<RunLogField> more = {{"evaluations", 7}};
  ASSERT_TRUE(observer.AppendTrainingRow(log, nullptr, more).ok());
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
  ASSERT_TRUE(observer.AppendTrainingRow(log).ok());
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
