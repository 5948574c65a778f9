#include "gorila/report/run_charts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/metrics/run_log.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A run with ten rows that end with `more`, and three evaluations.
RunSummary MakeRun(const std::string& label, const std::string& more) {
  RunSummary run;
  run.label = label;
  for (int i = 1; i <= 10; ++i) {
    run.history.Add(ParseRunLogLine(fmt::format(R"({{"kind":"training","frames":{},"seconds":{},)"
                                                R"("return_episodes":5,"return_mean":{}{}}})",
                                                100 * i, i, i, more))
                        .value());
  }
  for (int i = 1; i <= 3; ++i) {
    run.history.Add(ParseRunLogLine(fmt::format(R"({{"kind":"evaluation","frames":{},)"
                                                R"("return_mean":{},"standard_error":0.5}})",
                                                300 * i, 2 * i))
                        .value());
  }
  return run;
}

std::vector<std::string> Names(const std::vector<ChartPanel>& panels) {
  std::vector<std::string> names;
  for (const ChartPanel& panel : panels) names.push_back(panel.name);
  return names;
}

std::vector<ChartPanel> PanelsOf(std::span<const RunSummary> runs) {
  return TrainingPanels(GroupRuns(runs).front(), /*evaluations=*/runs.size() > 1);
}

TEST(RunChartsTest, APanelIsDrawnForEachQuantityThatTheLogHas) {
  const std::vector<RunSummary> values = {MakeRun(
      "a", R"(,"loss":0.5,"value_mean":2,"gradient_norm":3,"epsilon":0.1,"staleness_mean":0)")};
  EXPECT_THAT(Names(PanelsOf(values)),
              ElementsAre("loss", "value_mean", "gradient_norm", "epsilon"));
  const std::vector<RunSummary> policy = {
      MakeRun("a", R"(,"loss":0.5,"policy_loss":-0.2,"baseline_loss":2,"entropy":1.5,)"
                   R"("epsilon":0,"staleness_mean":0.5)")};
  EXPECT_THAT(Names(PanelsOf(policy)),
              ElementsAre("loss", "policy_loss", "baseline_loss", "entropy", "staleness_mean"));
}

TEST(RunChartsTest, EveryAxisIsLabelled) {
  const std::vector<RunSummary> runs = {MakeRun(
      "a", R"(,"loss":0.5,"value_mean":2,"gradient_norm":3,"epsilon":0.1,"entropy":1,)"
           R"("policy_loss":1,"baseline_loss":2,"staleness_mean":1,"frames_per_second":9)")};
  const std::vector<ChartPanel> panels = PanelsOf(runs);
  EXPECT_EQ(panels.size(), kTrainingFigures.size());
  for (const ChartPanel& panel : panels) {
    EXPECT_FALSE(panel.figure.title.empty() || panel.figure.y_label.empty()) << panel.name;
    const std::string svg = DrawPanel("a.svg", panel.figure).value().bytes;
    EXPECT_THAT(svg, HasSubstr(">" + panel.figure.y_label + "</text>"));
    EXPECT_THAT(svg, HasSubstr(">" + panel.figure.x_label + "</text>"));
  }
}

TEST(RunChartsTest, ComparedRunsAreOverlaidByGroup) {
  std::vector<RunSummary> runs;
  for (int i = 0; i < 3; ++i) runs.push_back(MakeRun("wide", R"(,"loss":0.5)"));
  runs.push_back(MakeRun("narrow", R"(,"loss":0.7)"));
  const std::vector<ChartPanel> panels = PanelsOf(runs);
  ASSERT_THAT(Names(panels), ElementsAre("evaluations", "loss"));
  const LearningCurveFigure& loss = panels[1].figure;
  ASSERT_EQ(loss.series.size(), 2U);
  EXPECT_EQ(loss.series[0].label, "wide");
  EXPECT_EQ(loss.series[0].points.front().high, 0.5);
  EXPECT_EQ(loss.series[1].points.front().mean, 0.7);
  const LearningCurveFigure& evaluations = panels[0].figure;
  EXPECT_FALSE(evaluations.series[0].dots);  // a mean over runs
  EXPECT_TRUE(evaluations.series[1].dots);
  EXPECT_EQ(evaluations.series[1].points.front().low, 1.5);
}

TEST(RunChartsTest, LegendsNameTheGroupsThatAreThere) {
  const std::vector<RunSummary> runs = {MakeRun("policy", R"(,"loss":0.5,"entropy":1.5)"),
                                        MakeRun("values", R"(,"loss":0.7)")};
  const std::vector<ChartPanel> panels = PanelsOf(runs);
  ASSERT_THAT(Names(panels), ElementsAre("evaluations", "loss", "entropy"));
  const LearningCurveFigure &loss = panels[1].figure, &entropy = panels[2].figure;
  ASSERT_EQ(entropy.series.size(), 2U) << "a group keeps its colour";
  EXPECT_EQ(entropy.series[0].label, "policy");
  EXPECT_EQ(entropy.series[1].label, "");
  EXPECT_EQ(loss.series[1].label, "values");
  EXPECT_LT(entropy.height, loss.height);
}

// A report of several games may have one run of each.
TEST(RunChartsTest, TheOnlyRunOfAGameAmongSeveralHasItsEvaluations) {
  const std::vector<RunSummary> runs = {MakeRun("a", R"(,"loss":0.5)")};
  const std::vector<ChartPanel> panels =
      TrainingPanels(GroupRuns(runs).front(), /*evaluations=*/true);
  EXPECT_THAT(Names(panels), ElementsAre("evaluations", "loss"));
  EXPECT_TRUE(panels.front().figure.series.front().dots);
}

TEST(RunChartsTest, ARunsCurveHasItsEvaluationsAsDots) {
  const RunSummary run = MakeRun("a", "");
  const LearningCurveGrid grid = MakeRunCurve(run.config, run.history);
  ASSERT_EQ(grid.panels.size(), 1U);
  const std::vector<CurveSeries>& series = grid.panels.front().series;
  EXPECT_FALSE(series[0].dots);
  EXPECT_TRUE(series[1].dots);
  EXPECT_EQ(series[1].points.size(), 3U);
}

// The page shows the narrow one at 390 pixels, less 42 around it.
TEST(RunChartsTest, AChartForAPhoneIsAsWideAsItsPage) {
  const RunSummary run = MakeRun("a", "");
  const ReportPicture picture = DrawChart("a.svg", MakeRunCurve(run.config, run.history)).value();
  EXPECT_THAT(picture.bytes, HasSubstr("viewBox=\"0 0 720 "));
  EXPECT_THAT(picture.narrow, HasSubstr("viewBox=\"0 0 340 "));
  EXPECT_THAT(picture.narrow, HasSubstr(">environment frames</text>"));
}

}  // namespace
}  // namespace gorila
