#include "gorila/scores/minatar_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "gorila/base/file.h"
#include "gorila/config/config_load.h"
#include "gorila/config/presets.h"
#include "gorila/scores/minatar_table.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string TrainingLine(double frames, int episodes, const std::string& mean, double epsilon) {
  return fmt::format(
      "{{\"kind\":\"training\",\"frames\":{},\"return_episodes\":{},\"return_mean\":{},"
      "\"epsilon\":{}}}\n",
      frames, episodes, mean, epsilon);
}

RecentReturn After(const std::vector<std::string>& lines) {
  RecentReturn training;
  for (const std::string& line : lines) training.Add(ParseRunLogLine(line).value());
  return training;
}

TEST(RecentReturnTest, IsTheMeanOverEpisodesOfTheLastMillionFrames) {
  const RecentReturn training =
      After({TrainingLine(1e6, 100, "1", 0.9), TrainingLine(2e6, 50, "100", 0.5),
             TrainingLine(2.5e6, 10, "4", 0.2), TrainingLine(3e6, 30, "8", 0.1)});
  EXPECT_DOUBLE_EQ(training.Mean(), (10 * 4 + 30 * 8) / 40.0);
  EXPECT_EQ(training.frames(), 3e6);
  EXPECT_EQ(training.epsilon(), 0.1);
}

TEST(RecentReturnTest, ARecordThatBeginsBeforeTheWindowCountsWithItsPart) {
  const RecentReturn training =
      After({TrainingLine(1e6, 7, "1000", 1), TrainingLine(3e6, 40, "2", 1),
             TrainingLine(3.5e6, 10, "5", 1)});
  // Half a million of the second row's two million frames.
  EXPECT_DOUBLE_EQ(training.Mean(), (10 * 2 + 10 * 5) / 20.0);
}

TEST(RecentReturnTest, RecordsWithoutEpisodesAndOtherKindsOnlyMoveTheWindow) {
  const RecentReturn training =
      After({TrainingLine(1e6, 10, "3", 0.5), TrainingLine(1.5e6, 0, "null", 0.4),
             "{\"kind\":\"evaluation\",\"frames\":1500000,\"return_mean\":99,"
             "\"return_episodes\":30}\n",
             TrainingLine(1.75e6, 0, "null", 0.25)});
  EXPECT_EQ(training.Mean(), 3);
  EXPECT_EQ(training.epsilon(), 0.25);
  EXPECT_TRUE(
      std::isnan(After({TrainingLine(1e6, 10, "3", 1), TrainingLine(2e6, 0, "null", 1)}).Mean()));
  EXPECT_TRUE(std::isnan(RecentReturn().Mean()));
  EXPECT_EQ(RecentReturn().frames(), 0);
}

TEST(RecentReturnTest, OfOneGameAmongSeveralItsOwnFramesAndEpisodesCount) {
  const auto line = [](double frames, double breakout, double mean) {
    return fmt::format(R"({{"kind":"training","frames":{},"return_episodes":50,"return_mean":999,)"
                       R"("epsilon":0.1,"games":{{"minatar/asterix":{{"frames":7,)"
                       R"("return_episodes":1,"return_mean":5}},"minatar/breakout":{{"frames":{},)"
                       R"("return_episodes":10,"return_mean":{}}}}}}})",
                       frames, breakout, mean);
  };
  RecentReturn training("minatar/breakout");
  // Of the game's own million frames, not of the run's.
  training.Add(ParseRunLogLine(line(2e6, 4e5, 2)).value());
  training.Add(ParseRunLogLine(line(4e6, 8e5, 4)).value());
  EXPECT_EQ(training.frames(), 8e5);
  EXPECT_EQ(training.Mean(), 3);
  EXPECT_EQ(training.epsilon(), 0.1);
  training.Add(ParseRunLogLine(TrainingLine(5e6, 10, "7", 0.2)).value());
  EXPECT_EQ(training.Mean(), 3) << "a row without games says nothing";
}

TEST(AgentOfTest, NamesAlgorithmPresetAndWhatDiffers) {
  Config config = LoadPreset("minatar-long").value();
  config.environment.name = "minatar/seaquest";
  config.run.seed = 7;
  EXPECT_EQ(AgentOf(config), "double_dqn (minatar-long)");
  EXPECT_EQ(AgentOf(LoadPreset("minatar-dqn").value()), "dqn (minatar-dqn)");
  config.run.bundles += 1;
  config.replay.options.transition.n_step = 1;
  EXPECT_EQ(AgentOf(config), fmt::format("double_dqn (minatar-long, learner.n_step=1, "
                                         "run.bundles={})",
                                         config.run.bundles));
  config.learner.batch_size += 1;
  config.actor.environments += 1;
  config.parameter_server.shards = 3;
  EXPECT_THAT(AgentOf(config), HasSubstr(", 2 more)"));
}

class MinAtarRunsTest : public testing::Test {
 protected:
  MinAtarRunsTest()
      : folder_(fs::temp_directory_path() / fmt::format("gorila-minatar-{}", ::getpid())) {
    fs::create_directories(folder_);
  }
  ~MinAtarRunsTest() override { fs::remove_all(folder_); }

  void Write(const fs::path& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    EXPECT_TRUE(WriteFileAtomically(folder_ / name, text).ok());
  }
  void WriteRun(const std::string& name, const std::string& game, bool finished = true) const {
    Config config;
    config.environment.name = game;
    Write(name + "/config.toml", RunConfigText(config));
    Write(name + "/metrics.jsonl",
          TrainingLine(4e6, 10, "1", 1) + TrainingLine(5e6, 10, "12.5", 0.1));
    EvaluationRecord record;
    record.environment = game;
    record.result.protocol = "greedy";
    record.result.returns = {4, 6};
    if (finished) Write(name + "/evaluation.json", EncodeEvaluation(record));
  }
  std::string Refusal(const fs::path& path) const {
    const auto runs = ReadMinAtarRuns(path);
    EXPECT_FALSE(runs.ok());
    EXPECT_THAT(std::string(runs.status().message()), HasSubstr(path.string()));
    return std::string(runs.status().message());
  }

  const fs::path folder_;
};

TEST_F(MinAtarRunsTest, ReadsFinishedRunsAndCountsTheOthers) {
  WriteRun("s/a/seed1", "minatar/breakout");
  WriteRun("s/a/seed2", "minatar/breakout", false);
  WriteRun("s/b/seed1", "classic/catch");
  const MinAtarRuns found = ReadMinAtarRuns(folder_ / "s").value();
  ASSERT_EQ(found.runs.size(), 1u);
  ASSERT_EQ(found.training.size(), 1u);
  EXPECT_EQ(found.runs[0].evaluation->result.summary.mean, 5);
  EXPECT_EQ(found.runs[0].config.environment.name, "minatar/breakout");
  EXPECT_EQ(found.training[0].Mean(), 12.5);
  EXPECT_EQ(found.unfinished, 1);
  EXPECT_EQ(found.other_games, 1);
}

TEST_F(MinAtarRunsTest, ARunWithSeveralGamesIsThereForEach) {
  Config config;
  config.environment.name = "minatar/breakout,minatar/asterix";
  EvaluationRecord record;
  record.environment = config.environment.name;
  record.result.protocol = "greedy";
  record.result.returns = {0.5};
  record.result.aggregate = "mean of both";
  for (const double score : {3, 8}) {
    EvaluationResult& game = record.result.games.emplace_back();
    game.protocol = "greedy";
    game.game = score == 3 ? "minatar/breakout" : "minatar/asterix";
    game.returns = {score};
  }
  Write("run/config.toml", RunConfigText(config));
  Write("run/metrics.jsonl",
        R"({"kind":"training","frames":900,"epsilon":0.1,"games":{"minatar/asterix":)"
        R"({"frames":400,"return_episodes":2,"return_mean":6},"minatar/breakout":)"
        R"({"frames":500,"return_episodes":3,"return_mean":1.5}}})"
        "\n");
  Write("run/evaluation.json", EncodeEvaluation(record));
  const MinAtarRuns found = ReadMinAtarRuns(folder_ / "run").value();
  ASSERT_EQ(found.runs.size(), 2u);
  EXPECT_EQ(found.runs[0].config.environment.name, "minatar/breakout");
  EXPECT_EQ(found.runs[0].evaluation->result.summary.mean, 3);
  EXPECT_EQ(found.runs[1].evaluation->result.summary.mean, 8);
  EXPECT_EQ(found.training[0].Mean(), 1.5);
  EXPECT_EQ(found.training[0].frames(), 500);
  EXPECT_EQ(found.training[1].Mean(), 6);
  // The tables say so, and a run of the game alone is no repetition of it.
  WriteRun("alone", "minatar/breakout");
  const MinAtarRuns both = ReadMinAtarRuns(folder_).value();
  int shared = 0;
  for (const MinAtarSection& section : MakeMinAtarTable(PublishedMinAtarScores(), both)) {
    for (const MinAtarRow& row : section.rows) {
      const bool says =
          std::count(row.notes.begin(), row.notes.end(), "one network for all 2 games") == 1;
      if (!row.ours) continue;
      EXPECT_EQ(row.runs, "1");
      shared += says ? 1 : 0;
    }
  }
  EXPECT_EQ(shared, 4) << "two games by two measures";

  record.result.games.pop_back();
  Write("run/evaluation.json", EncodeEvaluation(record));
  EXPECT_THAT(Refusal(folder_ / "run"), HasSubstr("evaluation.json has the games"));
}

TEST_F(MinAtarRunsTest, RefusesWhatHasNoRunOfAMinAtarGame) {
  EXPECT_THAT(Refusal(folder_ / "missing"), HasSubstr("no such file or folder"));
  EXPECT_THAT(Refusal(folder_), HasSubstr("has no run in it or below"));
  Write("a.csv", "");
  EXPECT_THAT(Refusal(folder_ / "a.csv"), HasSubstr("expected a run's folder"));
  WriteRun("catch", "classic/catch");
  EXPECT_THAT(Refusal(folder_ / "catch"), HasSubstr("no run of a MinAtar game"));
  WriteRun("damaged", "minatar/breakout");
  Write("damaged/evaluation.json", "{");
  Refusal(folder_ / "damaged");
  WriteRun("log", "minatar/breakout");
  Write("log/metrics.jsonl", "not a row\n");
  EXPECT_THAT(Refusal(folder_ / "log"), HasSubstr("metrics.jsonl"));
}

}  // namespace
}  // namespace gorila
