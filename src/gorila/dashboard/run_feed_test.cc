#include "gorila/dashboard/run_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "gorila/base/file.h"
#include "gorila/base/json.h"
#include "gorila/config/config_keys.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunFeedTest : public ::testing::Test {
 protected:
  RunFeedTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    Write("config.toml", ToToml(Config()));
  }
  ~RunFeedTest() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  void Append(const std::string& text) {
    std::ofstream(folder_ / "metrics.jsonl", std::ios::binary | std::ios::app) << text;
  }
  RunFeed Open() { return RunFeed::Open({"label", folder_}).value(); }
  // What a reader of all news has.
  std::vector<std::string> Look(RunFeed& feed) {
    RunFeed::News news = feed.Poll();
    if (news.log_began_anew) lines_.clear();
    lines_.insert(lines_.end(), news.lines.begin(), news.lines.end());
    return lines_;
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::vector<std::string> lines_;
};

TEST_F(RunFeedTest, GivesEachLineOnceAndOnlyWhenItIsWhole) {
  Append("{\"frames\":1}\n");
  RunFeed feed = Open();
  EXPECT_THAT(Look(feed), ElementsAre("{\"frames\":1}"));
  Append("{\"frames\":2}\n{\"fra");
  EXPECT_THAT(feed.Poll().lines, ElementsAre("{\"frames\":2}"));
  EXPECT_THAT(feed.Poll().lines, IsEmpty());
  Append("mes\":3}\n");
  EXPECT_THAT(feed.Poll().lines, ElementsAre("{\"frames\":3}"));
}

TEST_F(RunFeedTest, ARunWithoutALogHasNoLinesYet) {
  RunFeed feed = Open();
  EXPECT_THAT(Look(feed), IsEmpty());
  Append("{}\n");
  const RunFeed::News news = feed.Poll();
  EXPECT_FALSE(news.log_began_anew);
  EXPECT_THAT(news.lines, ElementsAre("{}"));
}

TEST_F(RunFeedTest, NoticesALogThatWasCut) {
  Append("{\"frames\":1}\n{\"frames\":2}\n");
  RunFeed feed = Open();
  Look(feed);
  fs::resize_file(folder_ / "metrics.jsonl", std::string("{\"frames\":1}\n").size());
  EXPECT_THAT(Look(feed), ElementsAre("{\"frames\":1}"));
  Append("{\"frames\":9}\n");
  EXPECT_THAT(Look(feed), ElementsAre("{\"frames\":1}", "{\"frames\":9}"));
}

TEST_F(RunFeedTest, NoticesALogThatWasCutAndGrewAgain) {
  Append("{\"frames\":1}\n{\"frames\":2}\n");
  RunFeed feed = Open();
  Look(feed);
  Write("metrics.jsonl", "{\"frames\":1}\n{\"frames\":7}\n{\"frames\":8}\n");
  EXPECT_THAT(Look(feed), ElementsAre("{\"frames\":1}", "{\"frames\":7}", "{\"frames\":8}"));
}

TEST_F(RunFeedTest, PassesOverLinesThatAreNoObjectAndCountsThem) {
  Append("garbage\n[1]\n{\"frames\":1}\n");
  RunFeed feed = Open();
  EXPECT_THAT(Look(feed), ElementsAre("{\"frames\":1}"));
  EXPECT_EQ(ParseJsonOrThrow<nlohmann::json>(feed.Describe())["bad_lines"], 2);
}

TEST_F(RunFeedTest, ALongLogIsReadInPartsAndSaysHowFar) {
  const std::string line = "{\"text\":\"" + std::string(10'000, 'x') + "\"}\n";
  std::string log;
  while (log.size() < (std::size_t{11} << 20)) log += line;
  Append(log);
  RunFeed feed = Open();
  std::vector<int> percent;
  std::size_t lines = 0;
  for (bool more = true; more;) {
    const RunFeed::News news = feed.Poll();
    EXPECT_TRUE(news.state_changed);
    more = news.more;
    lines += news.lines.size();
    percent.push_back(ParseJsonOrThrow<nlohmann::json>(feed.Describe())["log_percent"]);
  }
  EXPECT_EQ(lines, log.size() / line.size());
  ASSERT_EQ(percent.size(), 3u);
  EXPECT_NEAR(percent[0], 36, 2);
  EXPECT_NEAR(percent[1], 73, 2);
  EXPECT_EQ(percent[2], 100);
}

TEST_F(RunFeedTest, SeesWhetherTheRunIsHeldAndWhenItHasFinished) {
  RunFeed feed = Open();
  EXPECT_EQ(feed.state(), RunState::kStopped);
  {
    const auto held = RunDirectory::Open(folder_).value();
    EXPECT_TRUE(feed.Poll().state_changed);
    EXPECT_EQ(feed.state(), RunState::kTraining);
  }
  Write("evaluation.json", "{\"mean\": 3.5}");
  EXPECT_TRUE(feed.Poll().state_changed);
  EXPECT_EQ(feed.state(), RunState::kFinished);
  EXPECT_EQ(ParseJsonOrThrow<nlohmann::json>(feed.Describe())["evaluation"]["mean"], 3.5);
}

// Older versions recorded the protocol's bare name.
TEST_F(RunFeedTest, AScoreByAnotherEpsilonIsLabelledSo) {
  Write("evaluation.json",
        R"({"environment":"classic/catch","protocol":"greedy","epsilon":1.0,"mean":-0.6})");
  RunFeed feed = Open();
  feed.Poll();
  EXPECT_EQ(ParseJsonOrThrow<nlohmann::json>(feed.Describe())["evaluation"]["protocol"],
            "greedy with epsilon 1 instead of 0");
}

TEST_F(RunFeedTest, ASampledScoreIsLabelledSoAndThePageKnowsWhatHasAPolicy) {
  const auto described = [](const RunFeed& feed) {
    return ParseJsonOrThrow<nlohmann::json>(feed.Describe());
  };
  EXPECT_EQ(described(Open())["is_policy"], false);
  Config config;
  config.environment.name = "classic/catch";
  config.learner.agent.algorithm = "vtrace";
  Write("config.toml", ToToml(config));
  Write("evaluation.json", R"({"environment":"classic/catch","protocol":"greedy","epsilon":0.0,)"
                           R"("act":"sample","mean":-0.6})");
  RunFeed feed = Open();
  feed.Poll();
  EXPECT_EQ(described(feed)["is_policy"], true);
  EXPECT_EQ(described(feed)["evaluation"]["protocol"], "greedy with sampled actions");
}

TEST_F(RunFeedTest, ARunThatIsMadeLongerIsDescribedByItsNewLength) {
  RunFeed feed = Open();
  feed.Poll();
  Config longer;
  longer.run.frames = 123456789;
  Write("config.toml", ToToml(longer));
  fs::last_write_time(folder_ / "config.toml",
                      fs::file_time_type::clock::now() + std::chrono::seconds(5));
  EXPECT_TRUE(feed.Poll().state_changed);
  EXPECT_EQ(ParseJsonOrThrow<nlohmann::json>(feed.Describe())["total_frames"], 123456789);
  EXPECT_FALSE(feed.Poll().state_changed);
  Write("config.toml", "[run");  // half written
  fs::last_write_time(folder_ / "config.toml",
                      fs::file_time_type::clock::now() + std::chrono::seconds(9));
  feed.Poll();
  EXPECT_EQ(ParseJsonOrThrow<nlohmann::json>(feed.Describe())["total_frames"], 123456789);
  EXPECT_THAT(ParseJsonOrThrow<nlohmann::json>(feed.Describe())["problem"].get<std::string>(),
              HasSubstr("config.toml"));
}

// A folder that no process of this machine has held.
TEST_F(RunFeedTest, SeesARunOfAnotherMachineByItsLog) {
  Append("{}\n");
  fs::last_write_time(folder_ / "metrics.jsonl",
                      fs::file_time_type::clock::now() - std::chrono::hours(24));
  RunFeed feed = Open();
  feed.Poll();
  EXPECT_EQ(feed.state(), RunState::kStopped);
  EXPECT_EQ(nlohmann::json::parse(feed.Describe())["elsewhere"], true);
  Append("{}\n");
  EXPECT_TRUE(feed.Poll().state_changed);
  EXPECT_EQ(feed.state(), RunState::kTraining);
  RunFeed later = Open();
  later.Poll();
  EXPECT_EQ(later.state(), RunState::kTraining);
  // Whoever had it last was here: nobody trains, however new the log is.
  RunDirectory::Open(folder_).value().reset();
  feed.Poll();
  EXPECT_EQ(feed.state(), RunState::kStopped);
  EXPECT_EQ(nlohmann::json::parse(feed.Describe())["elsewhere"], false);
}

TEST_F(RunFeedTest, SaysWhatCannotBeRead) {
  fs::create_directory(folder_ / "metrics.jsonl");
  RunFeed feed = Open();
  EXPECT_THAT(feed.Poll().lines, IsEmpty());
  EXPECT_EQ(nlohmann::json::parse(feed.Describe())["problem"], "metrics.jsonl: Is a directory");
  fs::remove(folder_ / "metrics.jsonl");
  EXPECT_TRUE(feed.Poll().state_changed);
  EXPECT_EQ(nlohmann::json::parse(feed.Describe())["problem"], "");
  Write("evaluation.json", "{\"mea");
  feed.Poll();
  EXPECT_EQ(feed.state(), RunState::kFinished);
  EXPECT_EQ(nlohmann::json::parse(feed.Describe())["problem"],
            "evaluation.json: not a JSON object");
}

TEST_F(RunFeedTest, AFolderThatIsNoRunIsNamed) {
  fs::remove(folder_ / "config.toml");
  const auto feed = RunFeed::Open({"label", folder_});
  ASSERT_TRUE(absl::IsInvalidArgument(feed.status()));
  EXPECT_THAT(std::string(feed.status().message()), HasSubstr(folder_.string()));
  EXPECT_TRUE(absl::IsNotFound(RunFeed::Open({"label", folder_ / "none"}).status()));
}

}  // namespace
}  // namespace gorila
