#include "gorila/scores/score_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using testing::ElementsAre;

ScoreResult RunOf(const std::string& source, double score, const std::string& n_step,
                  const std::string& frames = "100") {
  return {.game = "minatar/breakout",
          .protocol = "greedy",
          .score = score,
          .source = source,
          .settings = {{"learner.n_step", n_step}, {"run.frames", frames}}};
}

ScoreResult InFile(const std::string& file, double score) {
  return {.game = "minatar/breakout", .protocol = "greedy", .score = score, .source = file};
}

TEST(ScoreGroupsTest, RunsOfOneSettingAreRepetitions) {
  const auto groups = GroupResults(std::vector{RunOf("a/seed1", 1, "3"), RunOf("a/seed2", 5, "3")});
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_THAT(groups[0].scores, ElementsAre(1, 5));
  EXPECT_EQ(groups[0].label, "");
}

TEST(ScoreGroupsTest, OtherSettingsAreAnotherGroupNamedByWhatDiffers) {
  const auto groups =
      GroupResults(std::vector{RunOf("a/seed1", 1, "3"), RunOf("b/seed1", 9, "1"),
                               RunOf("a/seed2", 5, "3"), RunOf("c", 7, "1", "200")});
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_THAT(groups[0].scores, ElementsAre(1, 5));
  EXPECT_EQ(groups[0].label, "learner.n_step=3, run.frames=100");
  EXPECT_THAT(groups[1].scores, ElementsAre(9));
  EXPECT_EQ(groups[1].label, "learner.n_step=1, run.frames=100");
  EXPECT_EQ(groups[2].label, "learner.n_step=1, run.frames=200");
}

TEST(ScoreGroupsTest, GamesAndProtocolsAreApartWithoutALabel) {
  std::vector<ScoreResult> results = {RunOf("a", 1, "3"), RunOf("a", 2, "3"), RunOf("b", 3, "1")};
  results[1].protocol = "epsilon-0.05";
  results[2].game = "minatar/asterix";
  const auto groups = GroupResults(results);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].game, "minatar/asterix");
  EXPECT_EQ(groups[1].protocol, "epsilon-0.05");
  for (const ScoreGroup& group : groups) EXPECT_EQ(group.label, "");
}

TEST(ScoreGroupsTest, AFilesScoresAreAlikeAndTwoFilesAreNotCompared) {
  const auto groups = GroupResults(std::vector{InFile("a.csv", 1), InFile("b.csv", 9),
                                               InFile("a.csv", 5), RunOf("runs/a", 7, "3")});
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_THAT(groups[0].scores, ElementsAre(1, 5));
  EXPECT_EQ(groups[0].label, "a.csv");
  EXPECT_EQ(groups[1].label, "b.csv");
  EXPECT_EQ(groups[2].label, "runs/a");
}

}  // namespace
}  // namespace gorila
