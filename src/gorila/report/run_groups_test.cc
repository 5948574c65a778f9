#include "gorila/report/run_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

RunSummary MakeRun(const std::string& folder, const std::string& game, std::uint64_t seed) {
  RunSummary run;
  run.directory = folder;
  run.label = DefaultLabel(folder);
  run.config.environment.name = game;
  run.config.run.seed = seed;
  return run;
}

TEST(GroupRunsTest, SeedsAreRepetitionsAndGamesAreNot) {
  const std::vector<RunSummary> runs = {MakeRun("s/breakout/seed1", "minatar/breakout", 1),
                                        MakeRun("s/breakout/seed2", "minatar/breakout", 2),
                                        MakeRun("s/invaders/seed1", "minatar/space_invaders", 1)};
  const auto games = GroupRuns(runs);
  ASSERT_EQ(games.size(), 2u);
  ASSERT_EQ(games[0].groups.size(), 1u);
  EXPECT_EQ(games[0].groups[0].runs.size(), 2u);
  EXPECT_EQ(games[0].groups[0].label, "minatar/breakout");
  ASSERT_EQ(games[1].groups.size(), 1u);
  EXPECT_EQ(games[1].groups[0].runs.size(), 1u);
}

TEST(GroupRunsTest, ARunWithSeveralGamesIsAKindOfItsOwn) {
  const std::string two = "minatar/breakout,minatar/asterix";
  const std::string four = two + ",minatar/freeway,minatar/seaquest";
  const std::string other_four = two + ",minatar/freeway,minatar/space_invaders";
  const std::vector<RunSummary> runs = {MakeRun("a/1", "minatar/breakout", 1),
                                        MakeRun("b/1", two, 1), MakeRun("b/2", two, 2),
                                        MakeRun("c/1", four, 1), MakeRun("d/1", other_four, 1)};
  const auto games = GroupRuns(runs);
  ASSERT_EQ(games.size(), 4u);
  EXPECT_EQ(games[1].environment, two);
  ASSERT_EQ(games[1].groups.size(), 1u);
  EXPECT_EQ(games[1].groups[0].runs.size(), 2u) << "repetitions of each other";
  EXPECT_EQ(games[2].environment, "4 games");
  EXPECT_EQ(games[3].environment, "4 games") << "other ones";
}

TEST(GroupRunsTest, OtherSettingsAreAnotherGroupNamedByWhatDiffers) {
  std::vector<RunSummary> runs = {MakeRun("a/seed1", "minatar/breakout", 1),
                                  MakeRun("b/seed1", "minatar/breakout", 1)};
  runs[1].config.run.bundles = runs[0].config.run.bundles + 1;
  for (const char* label : {"seed1", "mine"}) {
    for (RunSummary& run : runs) run.label = label;
    const auto games = GroupRuns(runs);
    ASSERT_EQ(games.size(), 1u);
    ASSERT_EQ(games[0].groups.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(games[0].groups[i].label,
                fmt::format("{}, run.bundles={}", label, runs[i].config.run.bundles));
    }
  }
}

TEST(GroupRunsTest, ChosenLabelsSeparateAndRunOnlyKeysDoNot) {
  std::vector<RunSummary> runs = {MakeRun("a", "minatar/breakout", 1),
                                  MakeRun("b", "minatar/breakout", 2)};
  runs[1].config.run.metrics_every_seconds += 1;
  EXPECT_EQ(GroupRuns(runs)[0].groups.size(), 1u);
  runs[0].label = "before";
  runs[1].label = "after";
  EXPECT_EQ(GroupRuns(runs)[0].groups.size(), 2u);
}

}  // namespace
}  // namespace gorila
