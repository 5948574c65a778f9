#include "gorila/scores/score_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "gorila/base/file.h"
#include "gorila/config/config_load.h"
#include "gorila/evaluation/atari_scores.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/scores/score_groups.h"
#include "gorila/scores/score_table.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

class ScoreResultsTest : public testing::Test {
 protected:
  ScoreResultsTest()
      : folder_(fs::temp_directory_path() / fmt::format("gorila-scores-{}", ::getpid())) {
    fs::create_directories(folder_);
  }
  ~ScoreResultsTest() override { fs::remove_all(folder_); }

  fs::path Write(const fs::path& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    EXPECT_TRUE(WriteFileAtomically(folder_ / name, text).ok());
    return folder_ / name;
  }
  static std::string Evaluation(const std::string& environment, const std::string& protocol,
                                std::vector<double> returns, ActBy act = ActBy::kArgmax) {
    EvaluationRecord record;
    record.environment = environment;
    record.result.protocol = protocol;
    record.result.epsilon =
        act == ActBy::kSample ? 0 : (*FindEvaluationProtocol(protocol))->epsilon;
    record.result.act = act;
    record.result.returns = std::move(returns);
    return EncodeEvaluation(record);
  }
  static std::string Refusal(const fs::path& path) {
    const auto results = ReadScoreResults(path, "noop30");
    EXPECT_FALSE(results.ok());
    EXPECT_THAT(std::string(results.status().message()), HasSubstr(path.string()));
    return std::string(results.status().message());
  }

  const fs::path folder_;
};

TEST_F(ScoreResultsTest, FindsFinishedRunsAtAnyDepthAndCountsTheOthers) {
  Write("suite/pong/seed1/config.toml", RunConfigText(Config()));
  Write("suite/pong/seed1/evaluation.json", Evaluation("atari/pong", "noop30", {1, 4}));
  Write("suite/pong/seed1/evaluations/human-starts.json",
        Evaluation("atari/pong", "human-starts", {7}));
  Write("suite/pong/seed1/evaluations/noop30.json", Evaluation("atari/pong", "noop30", {99}));
  Write("suite/breakout/seed1/config.toml", RunConfigText(Config()));
  Write("suite/mine/config.toml", RunConfigText(Config()));
  Write("suite/mine/evaluation.json", Evaluation("pixel/breakout", "sticky", {3}));
  const ScoreResults found = ReadScoreResults(folder_ / "suite", "noop30").value();
  EXPECT_EQ(found.unfinished_runs, 1);
  ASSERT_THAT(found.results, SizeIs(3));
  EXPECT_EQ(found.results[0].game, "pixel/breakout");
  EXPECT_EQ(found.results[0].protocol, "sticky");
  EXPECT_EQ(found.results[1].game, "pong");
  EXPECT_EQ(found.results[1].protocol, "noop30");
  EXPECT_EQ(found.results[1].score, 2.5);
  EXPECT_EQ(found.results[2].protocol, "human-starts");
  EXPECT_THAT(ReadScoreResults(folder_ / "suite/pong/seed1", "noop30")->results, SizeIs(2));
}

TEST_F(ScoreResultsTest, ARunWithSeveralGamesGivesAScoreForEach) {
  Config config;
  config.environment.name = "atari/pong,atari/alien";
  EvaluationRecord record;
  record.environment = config.environment.name;
  record.result.protocol = "noop30";
  record.result.epsilon = 0.05;
  record.result.returns = {0.5};
  record.result.aggregate = "mean of both";
  for (const std::string name : {"atari/pong", "atari/alien"}) {
    EvaluationResult& game = record.result.games.emplace_back();
    game.protocol = "noop30";
    game.epsilon = 0.05;
    game.game = name;
    game.returns = {name == "atari/pong" ? 20.0 : 900.0};
  }
  Write("run/config.toml", RunConfigText(config));
  Write("run/evaluation.json", EncodeEvaluation(record));
  const auto results = ReadScoreResults(folder_ / "run", "noop30")->results;
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].game, "pong");
  EXPECT_EQ(results[0].score, 20);
  EXPECT_EQ(results[1].game, "alien");
  EXPECT_EQ(results[1].score, 900);
  EXPECT_EQ(results[1].shared_by, 2);
  EXPECT_THAT(ReadScoreResults(folder_ / "run/evaluation.json", "noop30")->results, SizeIs(2));

  const ScoreTable table = MakeScoreTable(PublishedAtariGames(), results, {}).value();
  EXPECT_EQ(table.sections.front().sharing, "ours: one network for all 2 games");
  EXPECT_EQ(table.sections.back().sharing, "") << "nothing of ours by human starts";
  // A run of one of the games alone is no repetition.
  config.environment.name = "atari/pong";
  Write("alone/config.toml", RunConfigText(config));
  Write("alone/evaluation.json", Evaluation("atari/pong", "noop30", {1}));
  const auto all = ReadScoreResults(folder_, "noop30")->results;
  EXPECT_THAT(GroupResults(all), SizeIs(3));
}

// The published scores are of another way of acting, and so is the other result.
TEST_F(ScoreResultsTest, SampledScoresAreNeitherThePublishedProtocolsNorAveragedWithOthers) {
  std::vector<ScoreResult> results;
  for (const ActBy act : {ActBy::kSample, ActBy::kArgmax}) {
    const fs::path file = Write(act == ActBy::kSample ? "sampled.json" : "argmax.json",
                                Evaluation("atari/pong", "noop30", {4}, act));
    results.push_back(ReadScoreResults(file, "noop30")->results.at(0));
  }
  EXPECT_EQ(results[0].protocol, "noop30 with sampled actions instead of epsilon 0.05");
  EXPECT_EQ(results[1].protocol, "noop30");
  EXPECT_THAT(GroupResults(results), SizeIs(2));
  const ScoreTable table = MakeScoreTable(PublishedAtariGames(), results, {}).value();
  ASSERT_THAT(table.others, SizeIs(1));
  EXPECT_EQ(table.others[0].protocol, results[0].protocol);
  EXPECT_TRUE(table.sections[0].HasOurs());
}

TEST_F(ScoreResultsTest, RunsKnowTheirSettingsAndFilesDoNot) {
  Config config;
  config.environment.name = "pixel/breakout";
  for (const int seed : {1, 2}) {
    config.run.seed = static_cast<std::uint64_t>(seed);
    const std::string run = fmt::format("runs/seed{}", seed);
    Write(run + "/config.toml", RunConfigText(config));
    Write(run + "/evaluation.json", Evaluation("pixel/breakout", "sticky", {3}));
    Write(run + "/evaluations/noop30.json", Evaluation("pixel/breakout", "noop30", {4}));
  }
  config.environment.name = "pixel/asterix";
  config.replay.options.transition.n_step += 1;
  Write("runs/tuned/config.toml", RunConfigText(config));
  Write("runs/tuned/evaluation.json", Evaluation("pixel/asterix", "sticky", {3}));
  const auto runs = ReadScoreResults(folder_ / "runs", "noop30")->results;
  ASSERT_THAT(runs, SizeIs(5));
  for (int i = 1; i < 4; ++i)
    EXPECT_EQ(runs[static_cast<std::size_t>(i)].settings, runs[0].settings);
  EXPECT_FALSE(runs[0].settings.empty());
  EXPECT_FALSE(runs[0].settings.contains("environment.name"));
  EXPECT_NE(runs[4].settings, runs[0].settings);
  const fs::path file = Write("one.json", Evaluation("pixel/breakout", "sticky", {3}));
  EXPECT_TRUE(ReadScoreResults(file, "noop30")->results.at(0).settings.empty());
}

TEST_F(ScoreResultsTest, ReadsCsvAndJsonFiles) {
  const fs::path csv = Write("a.csv", "seed,game,score\n1,pong,3.5\n2,atari/alien,-1\n");
  const auto from_csv = ReadScoreResults(csv, "sticky")->results;
  ASSERT_THAT(from_csv, SizeIs(2));
  EXPECT_EQ(from_csv[0].score, 3.5);
  EXPECT_EQ(from_csv[0].protocol, "sticky");
  EXPECT_EQ(from_csv[1].game, "alien");
  const fs::path json = Write(
      "a.json", R"([{"game":"pong","score":2},{"game":"x/y","score":1,"protocol":"greedy"}])");
  const auto from_json = ReadScoreResults(json, "noop30")->results;
  ASSERT_THAT(from_json, SizeIs(2));
  EXPECT_EQ(from_json[0].protocol, "noop30");
  EXPECT_EQ(from_json[1].protocol, "greedy");
  const fs::path one = Write("one.json", Evaluation("atari/pong", "noop30", {5, 7}));
  EXPECT_EQ(ReadScoreResults(one, "noop30")->results.at(0).score, 6);
}

TEST_F(ScoreResultsTest, RefusesWhatHasNoResults) {
  EXPECT_THAT(Refusal(folder_ / "missing"), HasSubstr("no such file or folder"));
  EXPECT_THAT(Refusal(folder_), HasSubstr("has no run in it or below"));
  EXPECT_THAT(Refusal(Write("a.txt", "")), HasSubstr("expected a folder, a .csv or a .json"));
  EXPECT_THAT(Refusal(Write("empty.csv", "")), HasSubstr("no columns 'game' and 'score'"));
  EXPECT_THAT(Refusal(Write("a.csv", "game,score\npong,high\n")),
              HasSubstr("'high' is not a number"));
  EXPECT_THAT(Refusal(Write("b.csv", "game,score\npong\n")), HasSubstr("has 1 columns"));
  Refusal(Write("a.json", "[{\"game\":\"pong\"}]"));
  Refusal(Write("b.json", "{\"game\":\"pong\"}"));
  Refusal(Write("c.json", "nothing"));
}

}  // namespace
}  // namespace gorila
