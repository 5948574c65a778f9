#include "gorila/report/run_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/report/testing.h"
#include "gorila/run/resume_rules.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> Labels(const GameRuns& game) {
  std::vector<std::string> labels;
  for (const RunGroup& group : game.groups) labels.push_back(group.label);
  return labels;
}

// A run of breakout with the settings, "learner.n_step=3".
RunSummary With(const std::vector<std::string>& settings, std::uint64_t seed,
                const std::string& game = "minatar/breakout") {
  static int number = 0;
  RunSummary run = MakeTestRun(fmt::format("runs/{}", ++number), game, seed);
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    const Status set =
        SetConfigValue(run.config, setting.substr(0, equals), setting.substr(equals + 1));
    EXPECT_TRUE(set.ok()) << set;
  }
  return run;
}

TEST(GroupRunsTest, SeedsAreRepetitionsAndGamesAreNot) {
  const std::vector<RunSummary> runs = {
      MakeTestRun("s/breakout/seed1", "minatar/breakout", 1),
      MakeTestRun("s/breakout/seed2", "minatar/breakout", 2),
      MakeTestRun("s/invaders/seed1", "minatar/space_invaders", 1)};
  const auto games = GroupRuns(runs);
  ASSERT_EQ(games.size(), 2u);
  ASSERT_EQ(games[0].groups.size(), 1u);
  EXPECT_EQ(games[0].groups[0].runs.size(), 2u);
  EXPECT_EQ(games[0].groups[0].label, "minatar/breakout");
  ASSERT_EQ(games[1].groups.size(), 1u);
  EXPECT_EQ(games[1].groups[0].runs.size(), 1u);
  EXPECT_EQ(games[1].groups[0].agent, games[0].groups[0].agent) << "only the game differs";
}

TEST(GroupRunsTest, ARunWithSeveralGamesIsAKindOfItsOwn) {
  const std::string two = "minatar/breakout,minatar/asterix";
  const std::string four = two + ",minatar/freeway,minatar/seaquest";
  const std::string other_four = two + ",minatar/freeway,minatar/space_invaders";
  const std::vector<RunSummary> runs = {
      MakeTestRun("a/1", "minatar/breakout", 1), MakeTestRun("b/1", two, 1),
      MakeTestRun("b/2", two, 2), MakeTestRun("c/1", four, 1), MakeTestRun("d/1", other_four, 1)};
  const auto games = GroupRuns(runs);
  ASSERT_EQ(games.size(), 4u);
  EXPECT_EQ(games[1].environment, two);
  ASSERT_EQ(games[1].groups.size(), 1u);
  EXPECT_EQ(games[1].groups[0].runs.size(), 2u) << "repetitions of each other";
  EXPECT_EQ(games[2].environment, "4 games");
  EXPECT_EQ(games[3].environment, "4 games") << "other ones";
  EXPECT_NE(games[0].groups[0].agent, games[1].groups[0].agent);
  EXPECT_NE(games[2].groups[0].agent, games[3].groups[0].agent);
}

TEST(GroupRunsTest, AGameAmongSeveralIsNotTheGameAlone) {
  std::vector<RunSummary> runs = {MakeTestRun("a", "minatar/breakout", 1),
                                  MakeTestRun("b", "minatar/breakout,minatar/asterix", 2)};
  runs[1].config = OneGame(runs[1].config, 0);
  const auto games = GroupRuns(runs);
  ASSERT_EQ(games.size(), 1u);
  EXPECT_THAT(Labels(games[0]), ElementsAre("a network for each game",
                                            "one network for minatar/breakout,minatar/asterix"));
}

// A key is either the same in all runs of a group, or known to leave training as it is: a new one
// separates runs until it is listed.
TEST(GroupRunsTest, EveryKeyButThoseOfWhereAndHowARunWasKeptSeparates) {
  const std::vector<std::string> run_only = RunOnlyKeys();
  EXPECT_THAT(run_only, testing::IsSupersetOf(
                            {"run.seed", "run.metrics_every_seconds", "atari.rom_folder",
                             "checkpoint.every_frames", "slurm.partition", "kubernetes.image",
                             "environment.python", "replay.compression", "cluster.shared_memory"}));
  for (const char* key :
       {"run.frames", "run.bundles", "run.deterministic", "environment.sticky_actions",
        "learner.n_step", "evaluation.epsilon", "evaluation.best", "cluster.learners",
        "parameter_server.overlap", "network.device", "environment.kwargs"}) {
    EXPECT_THAT(run_only, testing::Not(testing::Contains(key)));
  }
  for (const std::string& key : run_only) {
    const auto rule = ResumeRuleOf(key);
    ASSERT_TRUE(rule.ok()) << key;
    EXPECT_THAT(*rule, testing::AnyOf(ResumeRule::kFree, ResumeRule::kStart, ResumeRule::kBundles))
        << key << " decides what training's state means";
  }
}

TEST(GroupRunsTest, RunsThatDifferInASettingAreNeverInOneGroup) {
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"learner.n_step=1", "learner.n_step=3"},
           {"optimizer.learning_rate=0.001", "optimizer.learning_rate=0.002"},
           {"environment.sticky_actions=0.1", "environment.sticky_actions=0.25"},
           {"evaluation.episodes=10", "evaluation.episodes=20"},
           {"run.frames=1000000", "run.frames=2000000"}}) {
    const std::vector<RunSummary> runs = {With({one}, 1), With({other}, 2), With({one}, 3)};
    const auto games = GroupRuns(runs);
    ASSERT_EQ(games.size(), 1u);
    ASSERT_EQ(games[0].groups.size(), 2u) << one;
    EXPECT_THAT(games[0].groups[0].runs, ElementsAre(&runs[0], &runs[2]));
  }
  for (const char* where :
       {"run.metrics_every_seconds=77", "checkpoint.keep=9", "environment.python=python3.12",
        "cluster.metrics_port=9100", "replay.compression=zstd"}) {
    const std::vector<RunSummary> runs = {With({}, 1), With({where}, 2)};
    EXPECT_EQ(GroupRuns(runs)[0].groups.size(), 1u) << where;
  }
}

TEST(GroupLabelsTest, AreTheSettingsThatDifferInShort) {
  const std::vector<RunSummary> runs = {With({"learner.n_step=1", "optimizer.epsilon=0.1"}, 1),
                                        With({"learner.n_step=3", "optimizer.epsilon=0.1"}, 1),
                                        With({"learner.n_step=3", "optimizer.epsilon=0.01"}, 1)};
  // "epsilon" alone could be evaluation.epsilon.
  EXPECT_THAT(Labels(GroupRuns(runs)[0]),
              ElementsAre("n_step=1, optimizer.epsilon=0.1", "n_step=3, optimizer.epsilon=0.1",
                          "n_step=3, optimizer.epsilon=0.01"));
  EXPECT_EQ(ShortKey("learner.n_step"), "n_step");
  EXPECT_EQ(ShortKey("optimizer.epsilon"), "optimizer.epsilon");
  const std::vector<RunSummary> names = {With({"learner.algorithm=dqn"}, 1),
                                         With({"learner.algorithm=double_dqn"}, 1)};
  EXPECT_THAT(Labels(GroupRuns(names)[0]), ElementsAre("algorithm=dqn", "algorithm=double_dqn"));
}

TEST(GroupLabelsTest, OfManySettingsAreThoseThatTellGroupsApart) {
  const std::vector<std::string> many = {"learner.algorithm=c51", "learner.n_step=3",
                                         "learner.discount=0.9",  "replay.min_size=2000",
                                         "run.bundles=3",         "optimizer.learning_rate=0.5"};
  std::vector<std::string> more = many;
  more.push_back("learner.batch_size=7");
  const std::vector<RunSummary> runs = {With({}, 1), With(many, 1), With(more, 1)};
  const std::vector<std::string> labels = Labels(GroupRuns(runs)[0]);
  EXPECT_THAT(labels[1], AllOf(HasSubstr("algorithm=c51"), HasSubstr("batch_size="),
                               testing::ContainsRegex(" and [3-5] more")));
  EXPECT_EQ(std::set(labels.begin(), labels.end()).size(), 3u);
}

TEST(GroupLabelsTest, OfManySettingsTheAlgorithmComesFirstAlsoWhereAnotherTellsAll) {
  const std::vector<std::string> vtrace = {"learner.algorithm=vtrace",    "learner.n_step=1",
                                           "learner.discount=0.9",        "run.bundles=3",
                                           "optimizer.learning_rate=0.5", "replay.selector=queue"};
  const std::vector<RunSummary> runs = {With({}, 1), With({"optimizer.learning_rate=0.1"}, 1),
                                        With(vtrace, 1)};
  const std::vector<std::string> labels = Labels(GroupRuns(runs)[0]);
  EXPECT_THAT(labels[1], StartsWith("algorithm=double_dqn, learning_rate=0.1 and "));
  EXPECT_THAT(labels[2], StartsWith("algorithm=vtrace, learning_rate=0.5 and "));
}

TEST(GroupLabelsTest, HaveTheChecksumOfAnInitialNetworkOnlyWhereItsPathIsTheSame) {
  const std::string from = "network.init_from=\"a\"", record = "network.init_record=\"crc32:1 a\"";
  const std::vector<RunSummary> runs = {With({}, 1), With({from, record}, 1)};
  EXPECT_THAT(Labels(GroupRuns(runs)[0]), ElementsAre("init_from=none", "init_from=a"));
  const std::vector<RunSummary> changed = {With({from, record}, 1),
                                           With({from, "network.init_record=\"crc32:2 a\""}, 1)};
  EXPECT_THAT(Labels(GroupRuns(changed)[0]),
              ElementsAre("init_record=crc32:1 a", "init_record=crc32:2 a"));
}

TEST(GroupLabelsTest, AreTheSameInEveryGameAndOrderOfSeeds) {
  const std::string breakout = "minatar/breakout", freeway = "minatar/freeway";
  const std::vector<RunSummary> runs = {
      With({"learner.n_step=1"}, 1, breakout), With({"learner.n_step=3"}, 1, breakout),
      With({"learner.n_step=3"}, 2, freeway), With({"learner.n_step=1"}, 1, freeway),
      With({"learner.n_step=3"}, 5, freeway)};
  const auto games = GroupRuns(runs);
  ASSERT_EQ(games.size(), 2u);
  for (const GameRuns& game : games) {
    EXPECT_THAT(Labels(game), ElementsAre("n_step=1", "n_step=3"));
    EXPECT_EQ(game.groups[0].agent, 0u);
    EXPECT_EQ(game.groups[1].agent, 1u);
  }
  EXPECT_EQ(games[1].groups[1].runs.size(), 2u);
}

TEST(GroupLabelsTest, ChosenOnesSeparateAndAreKept) {
  std::vector<RunSummary> runs = {With({"run.bundles=1"}, 1), With({"run.bundles=2"}, 1),
                                  With({"run.bundles=1"}, 2)};
  for (RunSummary& run : runs) run.label = "mine";
  EXPECT_THAT(Labels(GroupRuns(runs)[0]), ElementsAre("mine, bundles=1", "mine, bundles=2"));
  runs[2].label = "after";
  EXPECT_THAT(Labels(GroupRuns(runs)[0]),
              ElementsAre("mine, bundles=1", "mine, bundles=2", "after"));
}

TEST(GroupLabelsTest, OfASingleRunIsItsFolders) {
  const std::vector<RunSummary> runs = {MakeTestRun("runs/mine", "minatar/breakout", 1)};
  EXPECT_THAT(Labels(GroupRuns(runs)[0]), ElementsAre("mine"));
}

TEST(RepeatedSeedsTest, AreSaidWithTheRuns) {
  std::vector<RunSummary> runs = {
      MakeTestRun("a", "minatar/breakout", 1), MakeTestRun("b/", "minatar/breakout", 1),
      MakeTestRun("c", "minatar/breakout", 2), MakeTestRun("d", "minatar/freeway", 1)};
  EXPECT_THAT(RepeatedSeeds(GroupRuns(runs)),
              ElementsAre(AllOf(HasSubstr("a, b/ have the same settings and seed 1"),
                                HasSubstr("2 repetitions"), testing::Not(HasSubstr(", c")))));
  runs[1].config.run.bundles += 1;
  EXPECT_THAT(RepeatedSeeds(GroupRuns(runs)), IsEmpty());
}

TEST(GroupRunsTest, NamesOfRunsDoNotSeparateRepetitions) {
  std::vector<RunSummary> runs = {MakeTestRun("a", "minatar/breakout", 1),
                                  MakeTestRun("b", "minatar/breakout", 2)};
  for (RunSummary& run : runs) run.label = run.labels.name = "mine " + run.directory.string();
  EXPECT_EQ(GroupRuns(runs)[0].groups.size(), 1u);
  EXPECT_EQ(GroupRuns(std::span(runs).first(1))[0].groups[0].label, "mine a");
}

}  // namespace
}  // namespace gorila
