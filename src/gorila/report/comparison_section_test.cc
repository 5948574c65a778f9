#include "gorila/report/comparison_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/report/group_curves.h"
#include "gorila/report/testing.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ComparisonSectionTest : public ::testing::Test {
 protected:
  // A run for each, whose return is that at 1000 frames and 0 at 0.
  void Add(const std::string& game, const std::string& n_step, std::vector<double> ends) {
    std::uint64_t seed = 0;
    for (const double end : ends) {
      RunSummary& run =
          runs_.emplace_back(MakeTestRun(game, "learner.n_step", n_step, ++seed, end));
      AddTestRow(0, 0, run);
      AddTestRow(1000, end, run);
    }
  }
  std::string Curves(const ComparisonOptions& options = {}) {
    pictures_.clear();
    return CurveSection(*MakeMarkdownMarkup(pictures_), GroupRuns(runs_), options, "page").value();
  }
  std::string Comparison(const ComparisonOptions& options = {}) {
    pictures_.clear();
    return ComparisonSection(*MakeMarkdownMarkup(pictures_), GroupRuns(runs_), options);
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const ReportPicture& picture : pictures_) names.push_back(picture.name);
    return names;
  }

  std::vector<RunSummary> runs_;
  std::vector<ReportPicture> pictures_;
};

TEST_F(ComparisonSectionTest, CurvesAreOverTheChosenAxes) {
  Add("minatar/breakout", "1", {2, 4, 6});
  EXPECT_THAT(Curves(), AllOf(HasSubstr("lines are the mean of runs, bands its 95 % bootstrap"),
                              HasSubstr("rough where they are fewer than 5")));
  EXPECT_THAT(Names(), ElementsAre("page-frames.svg", "page-seconds.svg"));
  const std::string text =
      Curves({.axes = {CurveAxis::kUpdates}, .statistic = Statistic::kInterquartileMean});
  EXPECT_THAT(text, AllOf(HasSubstr("over updates by learners"), HasSubstr("lines are the IQM")));
  EXPECT_THAT(Names(), ElementsAre("page-updates.svg"));
}

TEST_F(ComparisonSectionTest, EveryAxisHasItsOwnX) {
  Add("minatar/breakout", "1", {8});
  const auto games = GroupRuns(runs_);
  for (const auto& [axis, end] : std::vector<std::pair<CurveAxis, double>>{
           {CurveAxis::kFrames, 1000}, {CurveAxis::kUpdates, 100}, {CurveAxis::kSeconds, 10}}) {
    const LearningCurveGrid grid = MakeCurves(games[0], axis);
    EXPECT_EQ(grid.panels[0].series[0].points.back().x, end) << AxisName(axis);
  }
}

TEST_F(ComparisonSectionTest, CurvesShowTheChosenStatistic) {
  Add("minatar/breakout", "1", {0, 8, 8, 1000, 2000});
  const auto games = GroupRuns(runs_);
  std::vector<double> ends;
  for (const auto& curve : GroupCurves(games[0].groups[0], CurveAxis::kFrames, 0)) {
    ends.push_back(curve.back().y);
  }
  for (const Statistic statistic : {Statistic::kMean, Statistic::kInterquartileMean}) {
    const CurvePoint last =
        MakeCurves(games[0], CurveAxis::kFrames, statistic).panels[0].series[0].points.back();
    const Estimate expected = EstimateScores(ends, statistic);
    EXPECT_EQ(last.mean, expected.value);
    EXPECT_EQ(last.low, expected.low);
    EXPECT_EQ(last.high, expected.high);
  }
}

TEST_F(ComparisonSectionTest, GamesArePanelsOfOnePictureAndAgentsHaveOneColour) {
  Add("minatar/breakout", "1", {2, 4});
  Add("minatar/breakout", "3", {3, 5, 6});
  Add("minatar/freeway", "3", {30, 50});
  const auto games = GroupRuns(runs_);
  const LearningCurveGrid grid = MakeGamePanels(games, CurveAxis::kFrames);
  ASSERT_EQ(grid.panels.size(), 2u);
  for (const LearningCurveFigure& panel : grid.panels) {
    ASSERT_EQ(panel.series.size(), 2u);
    EXPECT_EQ(panel.series[0].label, "n_step=1, 2 runs");
    EXPECT_EQ(panel.series[1].label, "n_step=3, 2 to 3 runs");
  }
  EXPECT_EQ(grid.panels[1].title, "minatar/freeway");
  EXPECT_THAT(grid.panels[1].series[0].points, IsEmpty()) << "never run with n_step=1";
  EXPECT_EQ(grid.panels[1].series[1].points.back().x, 1000);
  Curves();
  EXPECT_THAT(Names(), ElementsAre("page-frames.svg", "page-seconds.svg"));
}

TEST_F(ComparisonSectionTest, RunsWithoutCurvesAreLeftOutAndCounted) {
  Add("minatar/breakout", "1", {2, 4});
  runs_.push_back(MakeTestRun("killed", "minatar/breakout", 9));
  runs_.back().config = runs_.front().config;
  EXPECT_THAT(Curves(), HasSubstr("; 1 run without a curve left out."));
  EXPECT_EQ(MakeCurves(GroupRuns(runs_)[0], CurveAxis::kFrames).panels[0].series[0].label,
            "minatar/breakout, 2 runs");
  EXPECT_TRUE(absl::IsInvalidArgument(CompareRuns(runs_, CurveAxis::kFrames).status()));
}

TEST_F(ComparisonSectionTest, GamesWithoutACurveAreSaidInPlaceOfAnEmptyPanel) {
  runs_.push_back(MakeTestRun("short", "classic/catch", 1));
  AddTestRow(1000, 1, runs_.back());
  const std::string none = "No curve of classic/catch: it takes two training records";
  EXPECT_THAT(Curves(), AllOf(HasSubstr("## Learning curves"), HasSubstr(none)));
  EXPECT_THAT(pictures_, IsEmpty());
  Add("minatar/breakout", "1", {2, 4});
  EXPECT_THAT(Curves(), HasSubstr(none));
  ASSERT_THAT(Names(), ElementsAre("page-frames.svg", "page-seconds.svg"));
  for (const ReportPicture& picture : pictures_) {
    EXPECT_THAT(picture.bytes, AllOf(HasSubstr("minatar/breakout"), Not(HasSubstr("no data"))));
  }
}

TEST_F(ComparisonSectionTest, GroupsAreComparedWhereTheShortestRunEnds) {
  Add("minatar/breakout", "1", {2, 4});
  Add("minatar/breakout", "3", {10, 10});
  AddTestRow(2000, 500, runs_[0]);
  const std::string text = Comparison({.axes = {CurveAxis::kUpdates}});
  EXPECT_THAT(text, HasSubstr("### At equal updates\n"));
  const auto rows = MarkdownRows(text);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0], ElementsAre("", "runs", "mean of the return after 100 updates"));
  EXPECT_EQ(rows[1][0], "n_step=1");
  EXPECT_THAT(rows[1][2], HasSubstr("3.00 [2.00, 4.00]"));
  EXPECT_EQ(rows[2][2], "10.00 [10.00, 10.00]");
  EXPECT_THAT(Comparison(), AllOf(HasSubstr("At equal frames"), HasSubstr("At equal wall time"),
                                  Not(HasSubstr("updates"))));
}

TEST_F(ComparisonSectionTest, OneGroupIsNotCompared) {
  Add("minatar/breakout", "1", {2, 4});
  EXPECT_EQ(Comparison(), "");
}

}  // namespace
}  // namespace gorila
