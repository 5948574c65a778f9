#include "gorila/report/run_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/base/json.h"
#include "gorila/config/presets.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

RunEntry MakeEntry(const std::string& folder, std::uint64_t seed, int n_step = 3,
                   const std::string& game = "minatar/breakout") {
  RunEntry run;
  run.directory = folder;
  run.config = *LoadPreset("minatar");
  run.config.environment.name = game;
  run.config.run.seed = seed;
  run.config.run.frames = 5000000;
  run.config.replay.options.transition.n_step = n_step;
  run.state = "finished";
  run.frames = 5000000;
  run.score = EntryScore{.kind = ScoreKind::kFinal, .value = 10.0 * n_step, .standard_error = 0.5};
  return run;
}

TEST(RunListTest, SettingsThatDifferAreThoseOfAGame) {
  const std::vector<RunEntry> runs = {MakeEntry("a", 1, 3), MakeEntry("b", 2, 1),
                                      MakeEntry("c", 1, 5, "minatar/asterix")};
  const auto settings = DifferingSettings(runs);
  EXPECT_THAT(settings[0], ElementsAre(Pair("learner.n_step", "3")));
  EXPECT_THAT(settings[1], ElementsAre(Pair("learner.n_step", "1")));
  EXPECT_TRUE(settings[2].empty()) << "no other run of its game";
}

TEST(RunListTest, TheTableLeavesOutEmptyColumnsAndSaysHowFarARunIs) {
  std::vector<RunEntry> runs = {MakeEntry("a", 1), MakeEntry("b", 2)};
  runs[1].frames = 1200000;
  runs[1].state = "stopped";
  runs[1].score.reset();
  TableRows rows = RunTable(runs);
  EXPECT_THAT(rows[0],
              ElementsAre("run", "game", "seed", "frames", "state", "score", "kind", "when"));
  EXPECT_EQ(rows[1][3], "5.00M");
  EXPECT_EQ(rows[1][5], "30.00 +- 0.50");
  EXPECT_EQ(rows[1][6], "final");
  EXPECT_EQ(rows[2][3], "1.20M/5.00M");
  EXPECT_EQ(rows[2][5], "");
  runs[0].labels = {.name = "mine", .note = "", .tags = {"x", "y"}};
  rows = RunTable(runs);
  EXPECT_EQ(rows[0][1], "name");
  EXPECT_EQ(rows[1].back(), "x,y");
}

TEST(RunListTest, TheTableHasTheAlgorithmFirstAndTheChecksumOfAnInitialNetworkOnlyAlone) {
  std::vector<RunEntry> runs = {MakeEntry("a", 1), MakeEntry("b", 1)};
  runs[1].config.learner.agent.algorithm = "dqn";
  runs[1].config.network.init_from = "c";
  runs[1].config.network.init_record = "crc32:1 c";
  runs[1].config.environment.options.sticky_actions = 0.25;
  EXPECT_EQ(RunTable(runs)[2][2],
            "learner.algorithm=\"dqn\", environment.sticky_actions=0.25, network.init_from=\"c\"");
  runs[0].config = runs[1].config;
  runs[0].config.network.init_record = "crc32:2 c";
  EXPECT_EQ(RunTable(runs)[2][2], "network.init_record=\"crc32:1 c\"");
}

TEST(RunListTest, CsvHasAColumnForEachSettingThatDiffers) {
  std::vector<RunEntry> runs = {MakeEntry("a", 1, 3), MakeEntry("b", 2, 1)};
  runs[0].labels.note = "a, \"b\"";
  const std::vector<UnreadableRun> unreadable = {{"bad", "why"}};
  const std::string text = RunCsv(runs, unreadable);
  EXPECT_THAT(text, StartsWith("run,name,game,seed,state,frames,target_frames,seconds,score,"
                               "standard_error,kind,protocol,when,tags,note,learner.n_step\n"));
  EXPECT_THAT(text, HasSubstr("a,,minatar/breakout,1,finished,5000000,5000000,,30,0.5,final,"));
  EXPECT_THAT(text, HasSubstr(",\"a, \"\"b\"\"\",3\n"));
  EXPECT_THAT(text, HasSubstr("\nbad,,,,unreadable,"));
}

TEST(RunListTest, JsonHasTypedValues) {
  std::vector<RunEntry> runs = {MakeEntry("a", 1, 3), MakeEntry("b", 2, 1)};
  runs[1].score.reset();
  const RunEntries all{.runs = {}, .unreadable = {{"bad", "why"}}, .notes = {"note"}};
  const Json json = ParseJson<Json>(RunJson(runs, all));
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["runs"][0]["settings"]["learner.n_step"], 3);
  EXPECT_EQ(json["runs"][0]["score"]["value"], 30);
  EXPECT_TRUE(json["runs"][1]["score"].is_null());
  EXPECT_EQ(json["unreadable"][0]["why"], "why");
  EXPECT_EQ(json["notes"][0], "note");
}

TEST(RunListTest, GroupsAverageSeedsOfTheBestKindOfScoreOnly) {
  std::vector<RunEntry> runs = {MakeEntry("a", 1), MakeEntry("b", 2), MakeEntry("c", 3),
                                MakeEntry("d", 1, 1)};
  runs[0].score->value = 20;
  runs[1].score->value = 40;
  runs[2].score = EntryScore{.kind = ScoreKind::kTraining, .value = 1000};
  runs[2].state = "training";
  const auto groups = ListGroups(runs, Statistic::kMean);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].runs.size(), 3u);
  EXPECT_THAT(groups[0].scores, ElementsAre(20, 40));
  EXPECT_EQ(groups[0].estimate.value, 30);
  EXPECT_EQ(groups[0].label, "n_step=3");
  const TableRows rows = GroupTable(groups, Statistic::kMean);
  EXPECT_THAT(rows[1], ElementsAre("minatar/breakout", "n_step=3", "3", "1 training, 2 finished",
                                   StartsWith("30.00 ["), "2", "final"));
  EXPECT_THAT(GroupCsv(groups, Statistic::kMean), HasSubstr(",3,2,mean,30,"));
  const Json json = ParseJson<Json>(GroupJson(groups, Statistic::kMean, {}));
  EXPECT_EQ(json["groups"][1]["score"], 10);
  EXPECT_EQ(json["groups"][0]["runs"].size(), 3u);
}

TEST(RunListTest, GroupsThatDifferInManySettingsHaveDifferentLabels) {
  std::vector<RunEntry> runs = {MakeEntry("a", 1), MakeEntry("b", 1), MakeEntry("c", 1)};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto n = static_cast<int>(i) + 1;
    Config& config = runs[i].config;
    config.learner.batch_size = 8 * n;
    config.run.bundles = n;
    config.actor.environments = n;
    config.parameter_server.shards = n;
    config.network.hidden = {16 * n};
  }
  const auto groups = ListGroups(runs, Statistic::kMean);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_NE(groups[0].label, groups[1].label);
  EXPECT_NE(groups[1].label, groups[2].label);
  EXPECT_NE(groups[0].label, groups[2].label);
}

TEST(RunListTest, GroupsAreSortedByScoreWithinAGame) {
  const std::vector<RunEntry> runs = {MakeEntry("a", 1, 1), MakeEntry("b", 1, 3),
                                      MakeEntry("c", 1, 1, "minatar/asterix")};
  auto groups = ListGroups(runs, Statistic::kMean);
  SortGroupsByScore(/*reversed=*/true, groups);
  EXPECT_EQ(groups[0].game, "minatar/asterix");
  EXPECT_EQ(groups[1].estimate.value, 30);
}

}  // namespace
}  // namespace gorila
