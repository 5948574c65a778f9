#include "gorila/report/run_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "gorila/metrics/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunHistoryTest : public ::testing::Test {
 protected:
  RunHistoryTest() { fs::create_directories(folder_); }
  ~RunHistoryTest() override { fs::remove_all(folder_); }

  static std::string Training(int i) {
    // Up to three episodes a record, and a peak in a record that no even thinning would keep.
    const double mean = i == 77'777 ? 1e6 : std::sin(i * 0.001) + i % 13;
    return fmt::format(
        "{{\"kind\":\"training\",\"frames\":{},\"seconds\":{},\"return_mean\":{},"
        "\"return_episodes\":{},\"epsilon\":{},\"updates\":{},\"bottleneck\":\"record {}\"}}\n",
        100 * i, 0.5 * i, mean, i % 4, 1.0 / (1 + i), 3 * i, i);
  }
  static std::string Evaluation(int frames, double mean) {
    return fmt::format(
        "{{\"kind\":\"evaluation\",\"frames\":{},\"return_mean\":{},\"standard_error\":0.5}}\n",
        frames, mean);
  }
  // What a reader of all records makes of them.
  std::vector<CurveSample> WholeCurve(std::string_view x, std::string_view y) const {
    std::vector<EpisodeBatch> batches;
    const std::vector<RunLogRecord> records = ReadRunLog(path_).value();
    for (const RunLogRecord& record : records) {
      if (record.Text("kind") != "training") continue;
      batches.push_back(
          {.x = *record.Number(x),
           .mean_return = *record.Number(y),
           .episodes = static_cast<std::uint64_t>(*record.Number("return_episodes"))});
    }
    return SmoothOverEpisodes(batches, kSmoothedEpisodes);
  }
  RunHistory Read() const {
    RunHistory history;
    EXPECT_TRUE(ReadRunHistory(path_, history).ok());
    return history;
  }

  const fs::path folder_ =
      fs::path(::testing::TempDir()) /
      (std::string("history_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
  const fs::path path_ = folder_ / "metrics.jsonl";
};

std::vector<std::pair<double, double>> Pairs(const std::vector<CurveSample>& curve) {
  std::vector<std::pair<double, double>> pairs;
  for (const CurveSample& sample : curve) pairs.emplace_back(sample.x, sample.y);
  return pairs;
}

TEST_F(RunHistoryTest, ShortLogsAreKeptWhole) {
  {
    std::ofstream log(path_);
    for (int i = 0; i < 5000; ++i) log << Training(i);
  }
  const RunHistory history = Read();
  EXPECT_EQ(Pairs(history.return_over_frames().samples()),
            Pairs(WholeCurve("frames", "return_mean")));
  EXPECT_EQ(Pairs(history.return_over_seconds().samples()),
            Pairs(WholeCurve("seconds", "return_mean")));
  EXPECT_EQ(Pairs(history.epsilon_over_frames().samples()), Pairs(WholeCurve("frames", "epsilon")));
}

TEST_F(RunHistoryTest, ALongLogIsThinnedAndKeepsItsTotals) {
  constexpr int kRecords = 200'000;
  {
    std::ofstream log(path_);
    for (int i = 0; i < kRecords; ++i) {
      log << Training(i);
      if (i % 10 == 0) log << Evaluation(100 * i + 1, i);
    }
  }
  const RunHistory history = Read();
  const std::vector<CurveSample> kept = history.return_over_frames().samples();
  EXPECT_LE(kept.size(), kMostHistoryPoints + 1);
  EXPECT_GE(kept.size(), kMostHistoryPoints / 2);
  // Nothing that is kept depends on what is not.
  const auto whole = Pairs(WholeCurve("frames", "return_mean"));
  const auto pairs = Pairs(kept);
  EXPECT_TRUE(std::includes(whole.begin(), whole.end(), pairs.begin(), pairs.end()));
  EXPECT_EQ(pairs.front(), whole.front());
  EXPECT_EQ(pairs.back(), whole.back());
  double highest = whole.front().second;
  for (const auto& [frames, value] : whole) highest = std::max(highest, value);
  EXPECT_EQ(history.return_over_frames().first(), whole.front().second);
  EXPECT_EQ(history.return_over_frames().last(), whole.back().second);
  EXPECT_EQ(history.return_over_frames().highest(), highest);
  EXPECT_EQ(history.epsilon_over_frames().last(), WholeCurve("frames", "epsilon").back().y);
  EXPECT_EQ(history.Last("frames"), 100.0 * (kRecords - 1));
  EXPECT_EQ(history.Last("updates"), 3.0 * (kRecords - 1));
  EXPECT_EQ(history.bottleneck(), fmt::format("record {}", kRecords - 1));
  const std::vector<CurvePoint> evaluations = history.evaluations();
  EXPECT_LE(evaluations.size(), kMostHistoryPoints + 1);
  EXPECT_EQ(evaluations.front().x, 1);
  EXPECT_EQ(evaluations.back().x, 100 * (kRecords - 10) + 1);
  EXPECT_EQ(evaluations.back().low, kRecords - 10 - 0.5);
}

TEST_F(RunHistoryTest, TheFinalEvaluationCountsWhereItIsOfALaterNetwork) {
  std::ofstream(path_) << Evaluation(10, 1) << Evaluation(20, 2)
                       << R"({"kind":"final_evaluation","frames":20,"return_mean":9})"
                       << "\n"
                       << R"({"kind":"final_evaluation","frames":30,"return_mean":3})"
                       << "\n";
  std::vector<double> means;
  for (const CurvePoint& point : Read().evaluations()) means.push_back(point.mean);
  EXPECT_THAT(means, ElementsAre(1, 2, 3));
}

TEST_F(RunHistoryTest, WhatALastRecordLacksIsOfAnEarlierOne) {
  std::ofstream(path_) << R"({"kind":"training","frames":1,"joules":5})"
                       << "\n"
                       << R"({"kind":"training","frames":2})"
                       << "\n"
                       << R"({"kind":"evaluation","frames":3})"
                       << "\n";
  const RunHistory history = Read();
  EXPECT_EQ(history.Last("frames"), 2);
  EXPECT_EQ(history.Last("joules"), 5);
  EXPECT_EQ(history.Last("none"), std::nullopt);
  EXPECT_TRUE(std::isnan(history.return_over_frames().highest()));
}

TEST_F(RunHistoryTest, EachGameHasACurveOfItsOwn) {
  std::ofstream log(path_);
  for (int i = 1; i <= 3; ++i) {
    log << fmt::format(
               R"({{"kind":"training","frames":{0},"seconds":{1},"return_mean":50,"return_episodes":4,)"
               R"("games":{{"a/pong":{{"frames":{1},"episodes":{1},"return_episodes":2,"return_mean":{1}}},)"
               R"("a/chess":{{"frames":7,"episodes":0,"return_episodes":0,"return_mean":null}}}}}})",
               10 * i, i)
        << "\n";
  }
  log << R"({"kind":"evaluation","frames":25,"return_mean":0.5,"standard_error":0.1,"games":{)"
         R"("a/pong":{"return_mean":8,"standard_error":1,"episodes":3}}})"
      << "\n";
  log.close();
  const RunHistory history = Read();
  EXPECT_EQ(history.return_over_frames().last(), 50);
  const GameHistory* const pong = history.game("a/pong");
  ASSERT_NE(pong, nullptr);
  EXPECT_THAT(Pairs(pong->return_over_frames.samples()),
              ElementsAre(std::pair(10., 1.), std::pair(20., 1.5), std::pair(30., 2.)));
  EXPECT_THAT(Pairs(pong->return_over_seconds.samples()),
              ElementsAre(std::pair(1., 1.), std::pair(2., 1.5), std::pair(3., 2.)));
  EXPECT_EQ(pong->frames, 3);
  EXPECT_EQ(pong->episodes, 3);
  ASSERT_EQ(pong->evaluations.values().size(), 1u);
  EXPECT_EQ(pong->evaluations.last().x, 25);
  EXPECT_EQ(pong->evaluations.last().low, 7);
  ASSERT_NE(history.game("a/chess"), nullptr);
  EXPECT_TRUE(history.game("a/chess")->return_over_frames.samples().empty());
  EXPECT_EQ(history.game("none"), nullptr);
}

TEST_F(RunHistoryTest, EveryFigureOfItsRecordsIsKeptInAFewPoints) {
  {
    std::ofstream log(path_);
    for (int i = 0; i < 3000; ++i) {
      log << fmt::format(
                 R"({{"kind":"training","frames":{},"loss":{},"entropy":null,"epsilon":0.5}})", i,
                 i % 10)
          << "\n";
    }
  }
  const RunHistory history = Read();
  const std::vector<CurvePoint> loss = history.figure("loss");
  EXPECT_LE(loss.size(), kMostFigurePoints);
  EXPECT_GE(loss.size(), kMostFigurePoints / 2);
  EXPECT_NEAR(loss.front().mean, 4.5, 1);
  EXPECT_EQ(loss.front().low, 0);
  EXPECT_EQ(loss.front().high, 9);
  EXPECT_EQ(history.figure("epsilon").back().mean, 0.5);
  EXPECT_TRUE(history.figure("entropy").empty());
  EXPECT_TRUE(history.figure("gradient_norm").empty());
}

TEST_F(RunHistoryTest, DamagedLinesAreNamedAndTheRestIsRead) {
  std::ofstream(path_) << Training(1) << "garbage\n" << Training(2) << "[1]\n" << Training(3);
  RunHistory history;
  const Status status = ReadRunHistory(path_, history);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(path_.string()), HasSubstr("line 2"),
                                                   HasSubstr("garbage"), HasSubstr("2 lines")));
  EXPECT_EQ(history.Last("frames"), 300);
  EXPECT_EQ(history.return_over_frames().samples().size(), 3u);
}

}  // namespace
}  // namespace gorila
