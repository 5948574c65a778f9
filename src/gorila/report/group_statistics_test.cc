#include "gorila/report/group_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/report/testing.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class GroupSectionTest : public ::testing::Test {
 protected:
  void Add(const std::string& game, const std::string& n_step, std::vector<double> scores) {
    std::uint64_t seed = 0;
    for (const double score : scores) {
      runs_.push_back(MakeTestRun(game, "learner.n_step", n_step, ++seed, score));
    }
  }
  std::string Text(const ComparisonOptions& options = {}) {
    std::vector<ReportPicture> pictures;
    return GroupSection(*MakeMarkdownMarkup(pictures), GroupRuns(runs_), options);
  }

  std::vector<RunSummary> runs_;
};

TEST_F(GroupSectionTest, HasSeedsStatisticsAndTheProbabilityToBeBetter) {
  Add("minatar/breakout", "1", {1, 2, 3, 4, 100});
  Add("minatar/breakout", "3", {50, 50, 50, 50, 50});
  const auto rows = MarkdownRows(Text());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0], ElementsAre("group", "seeds", "protocol", "mean [95 %]", "IQM [95 %]",
                                   "better than n_step=1"));
  const Estimate mean = EstimateScores({1, 2, 3, 4, 100}, Statistic::kMean);
  EXPECT_THAT(
      rows[1],
      ElementsAre("n_step=1", "5", "greedy", EstimateText(mean),
                  EstimateText(EstimateScores({1, 2, 3, 4, 100}, Statistic::kInterquartileMean)),
                  "baseline"));
  EXPECT_THAT(rows[1][3], HasSubstr("22.00 [")) << "the mean of all";
  EXPECT_THAT(rows[1][4], HasSubstr("3.00 [")) << "the outlier is left out";
  EXPECT_THAT(rows[2], ElementsAre("n_step=3", "5", "greedy", "50.00 [50.00, 50.00]",
                                   "50.00 [50.00, 50.00]", HasSubstr("0.80 [")));
  EXPECT_THAT(Text(), Not(HasSubstr("rough")));
}

TEST_F(GroupSectionTest, ComparesWithTheChosenBaseline) {
  Add("minatar/breakout", "1", {1, 2});
  Add("minatar/breakout", "3", {5, 6});
  const auto rows = MarkdownRows(Text({.baseline = "n_step=3"}));
  EXPECT_EQ(rows[0].back(), "better than n_step=3");
  EXPECT_EQ(rows[1].back(), "0.00 [0.00, 0.00]");
  EXPECT_EQ(rows[2].back(), "baseline");
  const auto games = GroupRuns(runs_);
  EXPECT_TRUE(CheckBaseline(games, "n_step=3").ok());
  const Status unknown = CheckBaseline(games, "n_step=2");
  EXPECT_TRUE(absl::IsInvalidArgument(unknown));
  EXPECT_THAT(std::string(unknown.message()),
              AllOf(HasSubstr("'n_step=2'"), HasSubstr("'n_step=1', 'n_step=3'")));
}

TEST_F(GroupSectionTest, SaysWhenThereAreTooFewSeeds) {
  Add("minatar/breakout", "1", {1});
  EXPECT_EQ(Text(), "") << "a single run";
  Add("minatar/breakout", "3", {5});
  EXPECT_THAT(Text(), AllOf(HasSubstr("One seed has no interval"), Not(HasSubstr("rough"))));
  EXPECT_EQ(MarkdownRows(Text())[1][3], "1.00");
  Add("minatar/breakout", "5", {5, 6, 7, 8});
  EXPECT_THAT(Text(), AllOf(HasSubstr("One seed has no interval"), HasSubstr("are rough")));
}

TEST_F(GroupSectionTest, UnfinishedRunsAreCountedAndNotScored) {
  Add("minatar/breakout", "1", {1, 2, 3});
  Add("minatar/breakout", "3", {4});
  runs_[1].evaluation.reset();
  runs_[3].evaluation.reset();
  const auto rows = MarkdownRows(Text());
  EXPECT_EQ(rows[1][1], "2 of 3");
  EXPECT_THAT(rows[1][3], HasSubstr("2.00 ["));
  EXPECT_THAT(rows[2], ElementsAre("n_step=3", "0 of 1", "–", "–", "–", "–"));
}

// A sweep's first runs may be those that are not done.
TEST_F(GroupSectionTest, WithoutAChoiceTheBaselineIsTheFirstGroupWithAFinishedRun) {
  Add("minatar/breakout", "1", {1});
  Add("minatar/breakout", "3", {4});
  Add("minatar/breakout", "5", {9});
  runs_[0].evaluation.reset();
  const auto rows = MarkdownRows(Text());
  EXPECT_EQ(rows[0].back(), "better than n_step=3");
  EXPECT_EQ(rows[2].back(), "baseline");
  EXPECT_EQ(rows[3].back(), "1.00");
}

TEST_F(GroupSectionTest, ScoresByDifferentProtocolsAreNotAveraged) {
  Add("minatar/breakout", "1", {1, 2});
  runs_[1].evaluation->result.protocol = "noop30";
  const auto rows = MarkdownRows(Text());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[1], ElementsAre("minatar/breakout", "1 of 2", "greedy", "1.00", "1.00"));
  EXPECT_THAT(rows[2], ElementsAre("minatar/breakout", "1 of 2", "noop30", "2.00", "2.00"));
}

TEST_F(GroupSectionTest, GamesHaveTablesOfTheirOwn) {
  Add("minatar/breakout", "1", {1, 2});
  Add("minatar/freeway", "1", {30, 40});
  const std::string text = Text();
  EXPECT_THAT(text, AllOf(HasSubstr("### minatar/breakout\n"), HasSubstr("### minatar/freeway\n")));
  const auto rows = MarkdownRows(text);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_THAT(rows[1][3], HasSubstr("1.50 ["));
  EXPECT_THAT(rows[3][3], HasSubstr("35.00 ["));
}

TEST_F(GroupSectionTest, ARunWithSeveralGamesHasAScoreInEach) {
  const std::string both = "minatar/breakout,minatar/asterix";
  Add(both, "1", {0.5, 0.7});
  for (RunSummary& run : runs_) {
    const auto seed = static_cast<double>(run.config.run.seed);
    for (const double points : {10.0, 20.0}) {
      run.evaluation->result.games.push_back(MakeTestResult(points + seed));
    }
    run.evaluation->result.games[0].game = "minatar/breakout";
    run.evaluation->result.games[1].game = "minatar/asterix";
  }
  const auto rows = MarkdownRows(Text());
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_THAT(rows[1][3], HasSubstr("11.50 ["));
  EXPECT_THAT(rows[3][3], HasSubstr("21.50 ["));
}

TEST_F(GroupSectionTest, WarnsOfEqualSeeds) {
  Add("minatar/breakout", "1", {1, 2});
  EXPECT_THAT(Text(), Not(HasSubstr("Warning")));
  Add("minatar/breakout", "1", {3});
  EXPECT_THAT(Text(), HasSubstr("<strong>Warning</strong>: s/minatar/breakout/1/seed1, "
                                "s/minatar/breakout/1/seed1 have the same settings and seed 1"));
}

}  // namespace
}  // namespace gorila
