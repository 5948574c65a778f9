#include "gorila/report/aggregate_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/evaluation/game_aggregate.h"
#include "gorila/report/testing.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Of a MinAtar game: what Young & Tian's DQN has times `part`, random play being 0.
double Points(std::string_view game, double part) {
  for (const GameReference& row : MinAtarReferences()) {
    if (row.game == game) return row.random + part * (row.reference - row.random);
  }
  return part;
}

class AggregateSectionTest : public ::testing::Test {
 protected:
  // One run a score, in parts of the reference.
  void Add(const std::string& game, const std::string& n_step, std::vector<double> parts) {
    std::uint64_t seed = 0;
    for (const double part : parts) {
      runs_.push_back(MakeTestRun(game, "learner.n_step", n_step, ++seed, Points(game, part)));
    }
  }
  std::string Text(const ComparisonOptions& options = {}) {
    pictures_.clear();
    return AggregateSection(*MakeMarkdownMarkup(pictures_), GroupRuns(runs_), options, "page")
        .value();
  }

  std::vector<RunSummary> runs_;
  std::vector<ReportPicture> pictures_;
};

TEST_F(AggregateSectionTest, NormalisesPoolsAndComparesGroupsOverGames) {
  Add("minatar/breakout", "1", {0.5, 0.5});
  Add("minatar/asterix", "1", {1.5, 1.5});
  Add("minatar/breakout", "3", {0.6, 0.6});
  Add("minatar/asterix", "3", {1.0, 1.6});
  const std::string text = Text();
  EXPECT_THAT(text, AllOf(HasSubstr("over minatar/asterix, minatar/breakout."),
                          HasSubstr("DQN-normalised"), HasSubstr("are rough")));
  const auto rows = MarkdownRows(text);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0], ElementsAre("group", "games", "seeds", "mean [95 %]", "IQM [95 %]",
                                   "improves on n_step=1"));
  EXPECT_THAT(rows[1], ElementsAre("n_step=1", "2", "2", "1.00 [1.00, 1.00]", "1.00 [1.00, 1.00]",
                                   "baseline"));
  // (1.3 + 0.6) / 2; the middle half is 0.6 and 1.0; better in breakout, half the time in asterix.
  EXPECT_THAT(rows[2], ElementsAre("n_step=3", "2", "2", "0.95 [0.80, 1.10]", HasSubstr("0.80 ["),
                                   "0.75 [0.50, 1.00]"));
  ASSERT_EQ(pictures_.size(), 1u);
  EXPECT_EQ(pictures_[0].name, "page-profiles.svg");
  EXPECT_THAT(pictures_[0].bytes,
              AllOf(HasSubstr("normalised score"), HasSubstr("n_step=1"), HasSubstr("n_step=3")));
}

TEST_F(AggregateSectionTest, TheBaselineIsFirstWhereChosen) {
  Add("minatar/breakout", "1", {0.5, 0.6});
  Add("minatar/asterix", "1", {1, 1.1});
  Add("minatar/breakout", "3", {0.1, 0.2});
  Add("minatar/asterix", "3", {0.1, 0.2});
  const auto rows = MarkdownRows(Text({.baseline = "n_step=3"}));
  EXPECT_EQ(rows[0].back(), "improves on n_step=3");
  EXPECT_EQ(rows[1][0], "n_step=3");
  EXPECT_EQ(rows[2].back(), "1.00 [1.00, 1.00]");
}

TEST_F(AggregateSectionTest, OneGroupOverGamesHasAggregatesAlone) {
  Add("minatar/breakout", "1", {0.5, 0.7, 0.9});
  Add("minatar/asterix", "1", {1, 1, 1});
  const auto rows = MarkdownRows(Text());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].size(), 5u);
  EXPECT_THAT(rows[1], ElementsAre("all runs", "2", "3", HasSubstr("0.85 ["), HasSubstr("[")));
}

TEST_F(AggregateSectionTest, GroupsWithoutAllGamesAreLeftOutAndNamed) {
  Add("minatar/breakout", "1", {0.5, 0.6});
  Add("minatar/asterix", "1", {0.5, 0.6});
  Add("minatar/breakout", "3", {0.5, 0.6});
  Add("minatar/asterix", "3", {0.5, 0.6});
  Add("minatar/freeway", "3", {0.5, 0.6});
  Add("minatar/breakout", "5", {0.5, 0.6});
  const std::string text = Text();
  EXPECT_THAT(text, AllOf(HasSubstr("over minatar/asterix, minatar/breakout."),
                          HasSubstr("Left out: n_step=5, without finished runs of each")));
  EXPECT_EQ(MarkdownRows(text).size(), 3u);
}

// As of a wide sweep under way.
TEST_F(AggregateSectionTest, ManyGroupsThatAreLeftOutAreOneSentence) {
  for (int n_step = 1; n_step <= 12; ++n_step) {
    Add("minatar/breakout", fmt::format("{}", n_step), {0.5});
    if (n_step <= 2) Add("minatar/asterix", fmt::format("{}", n_step), {0.5});
  }
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("Left out: n_step=3; n_step=4; "));
  EXPECT_THAT(text, HasSubstr("; n_step=10; and 2 more, without finished runs of each"));
  EXPECT_EQ(text.find("Left out"), text.rfind("Left out"));
}

TEST_F(AggregateSectionTest, OtherProtocolsAreNotCompared) {
  Add("minatar/breakout", "1", {0.5, 0.6});
  Add("minatar/asterix", "1", {0.5, 0.6});
  Add("minatar/breakout", "3", {0.5, 0.6});
  Add("minatar/asterix", "3", {0.5, 0.6});
  for (std::size_t i = 4; i < 8; ++i) runs_[i].evaluation->result.protocol = "noop30";
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("Left out: n_step=3, scored by another protocol than n_step=1."));
  EXPECT_EQ(MarkdownRows(text).size(), 2u);
}

TEST_F(AggregateSectionTest, GamesWithoutReferencesAreComparedButNotAveraged) {
  for (const char* game : {"classic/catch", "minatar/breakout"}) {
    Add(game, "1", {0.5, 0.6});
    Add(game, "3", {0.7, 0.8});
  }
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("are not averaged"));
  const auto rows = MarkdownRows(text);
  EXPECT_THAT(rows[0], ElementsAre("group", "games", "seeds", "improves on n_step=1"));
  EXPECT_THAT(rows[2], ElementsAre("n_step=3", "2", "2", "1.00 [1.00, 1.00]"));
  EXPECT_TRUE(pictures_.empty());
}

TEST_F(AggregateSectionTest, SettingsThatDifferByGameAreNotOneGroup) {
  Add("minatar/breakout", "1", {0.5, 0.6});
  Add("minatar/asterix", "3", {0.5, 0.6});
  EXPECT_THAT(Text(), AllOf(HasSubstr("Nothing is averaged over games"), Not(HasSubstr("|"))));
}

TEST_F(AggregateSectionTest, ANetworkOfSeveralGamesIsComparedWithOneForEach) {
  Add("minatar/breakout", "1", {0.5, 0.6});
  Add("minatar/asterix", "1", {0.5, 0.6});
  for (std::uint64_t seed : {1, 2}) {
    RunSummary run =
        MakeTestRun("minatar/breakout,minatar/asterix", "learner.n_step", "1", seed, 0);
    run.config.actor.environments = 2;  // as games make it
    for (const char* game : {"minatar/breakout", "minatar/asterix"}) {
      run.evaluation->result.games.push_back(MakeTestResult(Points(game, 0.9)));
      run.evaluation->result.games.back().game = game;
    }
    runs_.push_back(std::move(run));
  }
  const auto rows = MarkdownRows(Text());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1][0], "a network for each game");
  EXPECT_EQ(rows[2][0], "one network for minatar/breakout,minatar/asterix");
  EXPECT_EQ(rows[2][3], "0.90 [0.90, 0.90]");
  EXPECT_EQ(rows[2].back(), "1.00 [1.00, 1.00]");
}

TEST_F(AggregateSectionTest, OneGameOrOneRunHasNone) {
  Add("minatar/breakout", "1", {0.5, 0.6});
  Add("minatar/breakout", "3", {0.5, 0.6});
  EXPECT_EQ(Text(), "");
}

}  // namespace
}  // namespace gorila
