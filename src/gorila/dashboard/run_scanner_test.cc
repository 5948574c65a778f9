#include "gorila/dashboard/run_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "gorila/base/json.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/run_labels.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

class RunScannerTest : public ::testing::Test {
 protected:
  RunScannerTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~RunScannerTest() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  void MakeRun(const std::string& name, std::uint64_t seed = 1, int n_step = 1) {
    Config config;
    config.run.seed = seed;
    config.replay.options.transition.n_step = n_step;
    Write(name + "/config.toml", ToToml(config));
  }
  // One scan; the labels of the runs that are new or have changed.
  std::vector<std::string> Scan() {
    std::vector<std::string> labels;
    scanner_.Scan(
        [&](std::size_t number, const RunGlance& run) {
          runs_[number] = ParseJsonOrThrow<Json>(run.json());
          labels.push_back(runs_[number]["label"]);
        },
        [] { return false; });
    return labels;
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  RunScanner scanner_{{.folders = {{folder_.filename().string(), folder_}}}};
  std::map<std::size_t, Json> runs_;  // by number
};

TEST_F(RunScannerTest, FindsRunsBelowAFolderAndThoseThatBeginLater) {
  EXPECT_THAT(Scan(), IsEmpty());
  EXPECT_THAT(scanner_.notes(), IsEmpty());
  MakeRun("sweep/b");
  MakeRun("a");
  EXPECT_THAT(Scan(), ElementsAre("a", "sweep/b"));
  EXPECT_THAT(Scan(), IsEmpty()) << "nothing has changed";
  MakeRun("Z");
  EXPECT_THAT(Scan(), ElementsAre("Z"));
  EXPECT_EQ(runs_[0]["label"], "a") << "runs keep their numbers";
  EXPECT_EQ(runs_[2]["label"], "Z");
}

TEST_F(RunScannerTest, MarksARunThatWasRemovedAndOneThatCameBack) {
  MakeRun("a");
  MakeRun("b");
  Scan();
  fs::remove_all(folder_ / "a");
  EXPECT_THAT(Scan(), ElementsAre("a"));
  EXPECT_EQ(runs_[0]["gone"], true);
  EXPECT_EQ(runs_[1]["gone"], false);
  EXPECT_THAT(Scan(), IsEmpty());
  MakeRun("a");
  EXPECT_THAT(Scan(), ElementsAre("a"));
  EXPECT_EQ(runs_[0]["gone"], false);
  EXPECT_EQ(runs_.size(), 2u);
}

TEST_F(RunScannerTest, CountsUnreadableRunsInOneLineAndAddsThemOnceTheyCanBeRead) {
  for (int i = 0; i < 300; ++i)
    Write(fmt::format("bad{:03}/config.toml", i), "[run]\nframes = 'x'\n");
  MakeRun("good");
  EXPECT_THAT(Scan(), ElementsAre("good"));
  EXPECT_THAT(scanner_.notes(), ElementsAre(testing::AllOf(HasSubstr("300 runs cannot be read"),
                                                           HasSubstr("bad000/config.toml:2"))));
  EXPECT_THAT(Scan(), IsEmpty());
  EXPECT_THAT(scanner_.notes(), ElementsAre(HasSubstr("300 runs cannot be read")));
  MakeRun("bad000");
  EXPECT_THAT(Scan(), ElementsAre("bad000"));
  fs::remove_all(folder_ / "bad001");
  EXPECT_THAT(Scan(), IsEmpty());
  EXPECT_THAT(scanner_.notes(), ElementsAre(HasSubstr("298 runs cannot be read")));
}

TEST_F(RunScannerTest, AFolderThatVanishesIsNotedAndItsRunsAreGone) {
  MakeRun("a");
  Scan();
  fs::remove_all(folder_);
  EXPECT_THAT(Scan(), ElementsAre("a"));
  EXPECT_EQ(runs_[0]["gone"], true);
  EXPECT_THAT(scanner_.notes(), ElementsAre(HasSubstr("no such folder")));
}

TEST_F(RunScannerTest, SaysWhatARunHasReachedFromTheEndOfItsLog) {
  MakeRun("a");
  std::string log;
  for (int i = 1; i <= 3000; ++i) {
    log += fmt::format(R"({{"kind":"training","frames":{},"updates":{},"return_episodes":40,)"
                       R"("return_mean":{}}})",
                       1000 * i, i, i) +
           "\n";
    if (i == 2990) {
      log += R"({"kind":"evaluation","frames":2990000,"return_mean":7.5,"standard_error":0.5})"
             "\n";
    }
  }
  Write("a/metrics.jsonl", log);
  Scan();
  const Json& run = runs_[0];
  EXPECT_EQ(run["frames"], 3000000);
  EXPECT_EQ(run["updates"], 3000);
  // The last 100 episodes: 40 of the last two records, 20 of the one before.
  EXPECT_DOUBLE_EQ(run["return"].get<double>(), (40 * 3000 + 40 * 2999 + 20 * 2998) / 100.0);
  EXPECT_EQ(run["evaluated"]["mean"], 7.5);
  EXPECT_EQ(run["evaluated"]["frames"], 2990000);
  EXPECT_EQ(run["evaluation"], nullptr);
  EXPECT_THAT(Scan(), IsEmpty());
  Write("a/metrics.jsonl",
        log + R"({"kind":"training","frames":3001000,"return_episodes":0})" + "\n");
  Write("a/evaluation.json", R"({"mean":9.25,"protocol":"greedy","episodes":2,"returns":[9,9.5]})");
  EXPECT_THAT(Scan(), ElementsAre("a"));
  EXPECT_EQ(run["frames"], 3001000);
  EXPECT_EQ(run["state"], "finished");
  EXPECT_EQ(run["evaluation"]["mean"], 9.25);
  EXPECT_FALSE(run["evaluation"].contains("returns"));
}

TEST_F(RunScannerTest, SeedsAreOneGroupAndOtherSettingsAnother) {
  MakeRun("a", 1, 1);
  MakeRun("b", 2, 1);
  MakeRun("c", 3, 5);
  Scan();
  EXPECT_EQ(runs_[0]["group"], runs_[1]["group"]);
  EXPECT_NE(runs_[0]["group"], runs_[2]["group"]);
  // A run is described by how it differs from the first one.
  EXPECT_EQ(runs_[0]["changed"], Json::object());
  EXPECT_EQ(runs_[2]["changed"], Json({{"run.seed", "3"}, {"learner.n_step", "5"}}));
}

TEST_F(RunScannerTest, NamedRunsComeFirstAndAreNotFoundTwice) {
  MakeRun("a");
  MakeRun("b");
  RunScanner both({.runs = {{"mine", folder_ / "b"}}, .folders = {{"all", folder_}}});
  std::vector<std::string> labels;
  const RunScanner::Use use = [&labels](std::size_t, const RunGlance& run) {
    labels.push_back(run.label());
  };
  ASSERT_TRUE(both.AddNamed(use).ok());
  both.Scan(use, [] { return false; });
  EXPECT_THAT(labels, ElementsAre("mine", "all/a"));
}

TEST_F(RunScannerTest, FoundRunsAreCalledByTheirNamesWhileTheyHaveOne) {
  MakeRun("a");
  MakeRun("b");
  ASSERT_TRUE(WriteRunLabels(folder_ / "a", {.name = "first try"}).ok());
  EXPECT_THAT(Scan(), ElementsAre("first try", "b"));
  ASSERT_TRUE(WriteRunLabels(folder_ / "a", {.name = "second try"}).ok());
  ASSERT_TRUE(WriteRunLabels(folder_ / "b", {.name = "small"}).ok());
  EXPECT_THAT(Scan(), ElementsAre("second try", "small"));
  ASSERT_TRUE(WriteRunLabels(folder_ / "a", {}).ok());
  EXPECT_THAT(Scan(), ElementsAre("a"));
}

TEST_F(RunScannerTest, ALabelThatWasChosenStaysBeforeTheName) {
  MakeRun("a");
  ASSERT_TRUE(WriteRunLabels(folder_ / "a", {.name = "small"}).ok());
  std::vector<std::string> labels;
  const RunScanner::Use use = [&labels](std::size_t, const RunGlance& run) {
    labels.push_back(run.label());
  };
  RunScanner named({.runs = {{"mine", folder_ / "a"}}});
  ASSERT_TRUE(named.AddNamed(use).ok());
  RunScanner below({.folders = {{"chosen", folder_}}});
  below.Scan(use, [] { return false; });
  EXPECT_THAT(labels, ElementsAre("mine", "chosen/small"));
}

}  // namespace
}  // namespace gorila
