#include "gorila/dashboard/run_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>

#include "gorila/base/json.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/run_labels.h"
#include "gorila/report/run_groups.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

class RunBoardTest : public ::testing::Test {
 protected:
  RunBoardTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~RunBoardTest() override {
    board_.reset();
    fs::remove_all(folder_);
  }

  void MakeRun(const std::string& name, int records) {
    fs::create_directories(folder_ / name);
    std::ofstream(folder_ / name / "config.toml") << ToToml(Config());
    std::ofstream log(folder_ / name / "metrics.jsonl");
    for (int i = 1; i <= records; ++i) {
      log << fmt::format("{{\"kind\":\"training\",\"frames\":{},\"return_mean\":{}}}\n", i, i);
    }
  }
  // Of the folder, searched once.
  RunBoard& Start(RunBoardLimits limits) {
    limits.scan_period = std::chrono::milliseconds(20);
    board_ = RunBoard::Make({.folders = {{"all", folder_}}}, events_, limits).value();
    board_->Start();
    WaitFor([this] { return List()["searched"] == true; });
    return *board_;
  }
  Json List() { return ParseJsonOrThrow<Json>(fmt::format("{{{}}}", board_->ListJson())); }
  std::size_t CountRecords(std::size_t run, std::size_t most = 4000) {
    return ParseJsonOrThrow<Json>(board_->Records(run, most).value())["rows"].size();
  }
  // Until an event after which it is so.
  void WaitFor(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_so()) {
      ASSERT_TRUE(events_.Wait(next_, deadline).has_value()) << "nothing more happens";
    }
  }
  // Of the runs, by number, whose records are held and read to their end.
  std::vector<std::size_t> Held() {
    std::vector<std::size_t> held;
    for (std::size_t run = 0; run < board_->size(); ++run) {
      if (board_->LastTraining(run).has_value()) held.push_back(run);
    }
    return held;
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  EventLog events_{1000, 1 << 20};
  std::uint64_t next_ = 0;
  std::unique_ptr<RunBoard> board_;
};

TEST_F(RunBoardTest, AnEmptyFolderHasNoRunsUntilOneBegins) {
  RunBoard& board = Start({});
  EXPECT_EQ(board.size(), 0u);
  EXPECT_EQ(List()["folders"], Json::array({folder_.string()}));
  EXPECT_EQ(List()["settings"], Json::object());
  MakeRun("a", 3);
  WaitFor([&] { return board.size() == 1; });
  EXPECT_EQ(List()["runs"][0]["label"], "all/a");
  EXPECT_EQ(List()["settings"]["learner.n_step"], "1");
}

TEST_F(RunBoardTest, TagsAndNotesAreShownAndFollowed) {
  MakeRun("a", 3);
  ASSERT_TRUE(WriteRunLabels(folder_ / "a", {.note = "first try", .tags = {"baseline"}}).ok());
  Start({});
  EXPECT_EQ(List()["runs"][0]["note"], "first try");
  EXPECT_EQ(List()["runs"][0]["tags"], Json::array({"baseline"}));
  ASSERT_TRUE(WriteRunLabels(folder_ / "a", {.tags = {"final", "large"}}).ok());
  WaitFor([this] { return List()["runs"][0]["tags"] == Json::array({"final", "large"}); });
  EXPECT_EQ(List()["runs"][0]["note"], "");
}

TEST_F(RunBoardTest, NamesAreShownAndFollowedByMonitoringToo) {
  MakeRun("a", 3);
  const RunBoard& board = Start({});
  EXPECT_EQ(board.PlaceOf(0).label, "all/a");
  ASSERT_TRUE(WriteRunLabels(folder_ / "a", {.name = "first try"}).ok());
  WaitFor([this] { return List()["runs"][0]["label"] == "all/first try"; });
  EXPECT_EQ(board.PlaceOf(0).label, "all/first try");
}

TEST_F(RunBoardTest, SaysInWhichSettingsRepetitionsMayDiffer) {
  const RunBoard& board = Start({});
  EXPECT_EQ(board.size(), 0u);
  EXPECT_EQ(List()["run_only"], Json(RunOnlyKeys()));
}

TEST_F(RunBoardTest, RecordsAreReadWhenTheyAreAskedForAndThoseAskedForLongestAgoAreForgotten) {
  for (const char* name : {"a", "b", "c"}) MakeRun(name, 5);
  RunBoard& board = Start({.held_runs = 2});
  ASSERT_EQ(board.size(), 3u);
  EXPECT_THAT(Held(), IsEmpty());
  EXPECT_EQ(CountRecords(0), 5u);
  EXPECT_EQ(CountRecords(1), 5u);
  EXPECT_EQ(CountRecords(0), 5u);
  EXPECT_EQ(CountRecords(2), 5u);
  WaitFor([this] { return Held().size() == 2; });
  EXPECT_THAT(Held(), ElementsAre(0, 2));
  EXPECT_EQ(CountRecords(1), 5u) << "it is read again";
  WaitFor([this] { return Held().size() == 2; });
  EXPECT_THAT(Held(), ElementsAre(1, 2));
}

TEST_F(RunBoardTest, WhatIsHeldIsBoundedInBytesToo) {
  for (const char* name : {"a", "b", "c"}) MakeRun(name, 100);
  Start({.held_bytes = 100});
  for (std::size_t run = 0; run < 3; ++run) EXPECT_EQ(CountRecords(run), 100u);
  WaitFor([this] { return Held().size() == 1; });
  EXPECT_THAT(Held(), ElementsAre(2));
}

TEST_F(RunBoardTest, RecordsAreForgottenWhenNobodyLooks) {
  MakeRun("a", 5);
  RunBoard& board = Start({.kept_unwatched = std::chrono::milliseconds(1)});
  board.AddViewers(1);
  EXPECT_EQ(CountRecords(0), 5u);
  EXPECT_THAT(Held(), ElementsAre(0));
  board.AddViewers(-1);
  WaitFor([this] { return Held().empty(); });
}

TEST_F(RunBoardTest, RecordsThatGrowAreToldOfRunsThatAreHeld) {
  MakeRun("a", 5);
  RunBoard& board = Start({});
  EXPECT_EQ(CountRecords(0), 5u);
  std::ofstream(folder_ / "a/metrics.jsonl", std::ios::app)
      << "{\"kind\":\"training\",\"frames\":9}\n";
  WaitFor([&] { return board.LastTraining(0) == "{\"kind\":\"training\",\"frames\":9}"; });
  WaitFor([this] { return List()["runs"][0]["frames"] == 9; });
}

TEST_F(RunBoardTest, ManyRecordsAreThinnedToWhatIsAskedFor) {
  MakeRun("a", 2000);
  Start({});
  EXPECT_EQ(CountRecords(0), 2000u);
  const std::size_t few = CountRecords(0, 100);
  EXPECT_LE(few, 100u);
  EXPECT_GE(few, 40u);
}

TEST_F(RunBoardTest, ARunThatWasRemovedKeepsTheRecordsThatWereRead) {
  MakeRun("a", 5);
  MakeRun("b", 5);
  RunBoard& board = Start({});
  EXPECT_EQ(CountRecords(0), 5u);
  fs::remove_all(folder_ / "a");
  fs::remove_all(folder_ / "b");
  WaitFor(
      [this] { return List()["runs"][0]["gone"] == true && List()["runs"][1]["gone"] == true; });
  EXPECT_EQ(CountRecords(0), 5u);
  const auto records = board.Records(1, 4000);
  ASSERT_TRUE(absl::IsUnavailable(records.status()));
  EXPECT_THAT(std::string(records.status().message()), HasSubstr((folder_ / "b").string()));
  EXPECT_TRUE(absl::IsNotFound(board.Records(2, 4000).status()));
}

TEST_F(RunBoardTest, OnlyRunsThatTrainAreScrapedAndNoMoreThanAsked) {
  for (const char* name : {"a", "b", "c", "d"}) MakeRun(name, 5);
  // Held by no process here; the log of one has not grown for long.
  fs::last_write_time(folder_ / "b/metrics.jsonl",
                      fs::file_time_type::clock::now() - std::chrono::hours(24));
  RunBoard& board = Start({});
  EXPECT_THAT(board.Scraped(100), ElementsAre(0, 2, 3));
  EXPECT_THAT(board.Scraped(2), ElementsAre(0, 2));
}

}  // namespace
}  // namespace gorila
