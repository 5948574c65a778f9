#include "gorila/report/run_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "gorila/report/run_folders_testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class RunEntryTest : public RunFoldersTest {
 protected:
  static RunEntry Read(const fs::path& run) {
    StatusOr<RunEntry> entry = ReadRunEntry(run, HeldLocks::Read());
    EXPECT_TRUE(entry.ok()) << entry.status();
    return entry.ok() ? *std::move(entry) : RunEntry();
  }
};

TEST_F(RunEntryTest, AFinishedRunHasItsFinalScore) {
  const fs::path run = MakeRun("a", CatchConfig(), EvaluationRow(500, 1) + TrainingRow(1000, 2));
  Finish(run, 3);
  const RunEntry entry = Read(run);
  EXPECT_EQ(entry.state, "finished");
  EXPECT_EQ(entry.frames, 1000);
  ASSERT_TRUE(entry.score.has_value());
  EXPECT_EQ(entry.score->kind, ScoreKind::kFinal);
  EXPECT_EQ(entry.score->value, 3);
  EXPECT_EQ(entry.score->standard_error, 0);
  EXPECT_EQ(entry.score->protocol, "greedy");
  EXPECT_GT(entry.when, 0);
}

TEST_F(RunEntryTest, AStoppedRunHasItsLastEvaluationHoweverFarBack) {
  std::string log = EvaluationRow(100, 1) + EvaluationRow(200, 2);
  for (int i = 0; i < 5000; ++i) log += TrainingRow(300 + i, 5);
  const RunEntry entry = Read(MakeRun("a", CatchConfig(), log));
  EXPECT_EQ(entry.state, "stopped");
  EXPECT_EQ(entry.frames, 5299);
  ASSERT_TRUE(entry.score.has_value());
  EXPECT_EQ(entry.score->kind, ScoreKind::kEvaluation);
  EXPECT_EQ(entry.score->value, 2);
  EXPECT_EQ(entry.score->standard_error, 0.5);
}

TEST_F(RunEntryTest, WithoutEvaluationsItIsTheReturnOfTheLastHundredEpisodes) {
  const std::string none = R"(,"evaluations":0)";
  const RunEntry entry =
      Read(MakeRun("a", CatchConfig(),
                   TrainingRow(100, 9) + TrainingRow(200, 1, 60, none) +
                       TrainingRow(300, 0, 0, none) + TrainingRow(400, 2, 80, none)));
  ASSERT_TRUE(entry.score.has_value());
  EXPECT_EQ(entry.score->kind, ScoreKind::kTraining);
  EXPECT_DOUBLE_EQ(entry.score->value, 0.8 * 2 + 0.2 * 1);
  EXPECT_TRUE(std::isnan(entry.score->standard_error));
}

TEST_F(RunEntryTest, ARunThatLoggedNothingHasNoScore) {
  const RunEntry entry = Read(MakeRun("a", CatchConfig()));
  EXPECT_EQ(entry.state, "stopped");
  EXPECT_EQ(entry.frames, 0);
  EXPECT_FALSE(entry.score.has_value());
}

TEST_F(RunEntryTest, SeveralGamesHaveNoTrainingReturnInCommon) {
  Config config = CatchConfig();
  config.environment.name = "minatar/breakout,minatar/asterix";
  EXPECT_FALSE(Read(MakeRun("a", config, TrainingRow(100, 9))).score.has_value());
}

TEST_F(RunEntryTest, ARunWhoseGradientsWereRefusedDiverged) {
  const std::string refused =
      R"(,"gradients_accepted":10,"gradients_stale":0,"gradients_invalid":)";
  EXPECT_EQ(Read(MakeRun("a", CatchConfig(), TrainingRow(1000, 0, 1, refused + "11"))).state,
            "diverged");
  EXPECT_EQ(Read(MakeRun("b", CatchConfig(), TrainingRow(1000, 0, 1, refused + "9"))).state,
            "stopped");
  const fs::path finished = MakeRun("c", CatchConfig(), TrainingRow(1000, 0));
  Finish(finished, 1, "the run diverged: ...");
  EXPECT_EQ(Read(finished).state, "diverged");
}

TEST_F(RunEntryTest, DamagedFilesAreNamed) {
  const fs::path run = MakeRun("a", CatchConfig(), TrainingRow(100, 1) + "garbage\n");
  const Status log = ReadRunEntry(run, HeldLocks::Read()).status();
  EXPECT_TRUE(absl::IsDataLoss(log));
  EXPECT_THAT(std::string(log.message()), HasSubstr("metrics.jsonl"));
  std::ofstream(run / "config.toml") << "x";
  EXPECT_THAT(std::string(ReadRunEntry(run, HeldLocks::Read()).status().message()),
              HasSubstr("config.toml"));
}

TEST_F(RunEntryTest, AFolderListsItsRunsInNaturalOrderAndTheUnreadableOnesApart) {
  for (const char* name : {"seed10", "seed2", "seed1"}) MakeRun(name, CatchConfig());
  for (const char* name : {"x1", "x2", "x3", "x4"}) {
    std::ofstream(MakeRun(name, CatchConfig()) / "config.toml") << "x";
  }
  const auto entries = ReadRunEntries(root_);
  ASSERT_TRUE(entries.ok()) << entries.status();
  std::vector<std::string> names;
  for (const RunEntry& run : entries->runs) names.push_back(run.directory.filename());
  EXPECT_THAT(names, ElementsAre("seed1", "seed2", "seed10"));
  const std::string line = DescribeUnreadable(entries->unreadable, 7);
  EXPECT_THAT(line, HasSubstr("4 of 7 runs cannot be read: "));
  EXPECT_THAT(line, HasSubstr("x3, ..."));
  EXPECT_EQ(line.find("x4"), line.npos);
  EXPECT_EQ(DescribeUnreadable({}, 7), "");
}

TEST(NaturalLessTest, NumbersCompareBySize) {
  EXPECT_TRUE(NaturalLess("seed2", "seed10"));
  EXPECT_TRUE(NaturalLess("a9/b", "a10/a"));
  EXPECT_TRUE(NaturalLess("a", "a1"));
  EXPECT_TRUE(NaturalLess("a01", "a1") != NaturalLess("a1", "a01")) << "an order, whichever";
  EXPECT_FALSE(NaturalLess("a1", "a1"));
}

}  // namespace
}  // namespace gorila
