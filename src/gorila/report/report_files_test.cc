#include "gorila/report/report_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/base/file.h"
#include "gorila/base/json.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

RunReport Report() {
  return {.command = "gorila train --env minatar/breakout",
          .version = "0.1.0",
          .seed = 18446744073709551615u,
          .environment = "minatar/breakout",
          .machine = "2 cores, 8 GiB",
          .wall_seconds = 7260,
          .cpu_seconds = 14400,
          .joules = 52100,
          .frames = 5000000,
          .updates = 1249000,
          .frames_per_second = 688.7,
          .updates_per_second = 172,
          .evaluations = {{.network = "best of 24 evaluations",
                           .protocol = "MinAtar",
                           .episodes = 100,
                           .mean = 14.25,
                           .standard_error = 0.5,
                           .minimum = 1,
                           .maximum = 60,
                           .median = 12.5,
                           .sticky_actions = 0.1,
                           .epsilon = 0.05}},
          .training_return = 11.5,
          .warnings = {"the last network scores *less*"},
          .counters = {{"stale gradients", 12345}, {"invalid gradients", 0}},
          .files = {{"run log", "metrics.jsonl"}},
          .curve_picture = "learning_curve.png"};
}

TEST(ReportTest, MarkdownReadsAsWritten) {
  EXPECT_EQ(RenderReportMarkdown(Report()),
            R"(# Run on minatar/breakout

```
gorila train --env minatar/breakout
```

| | |
|---|---|
| Environment | minatar/breakout |
| Seed | 18446744073709551615 |
| Version | 0.1.0 |
| Machine | 2 cores, 8 GiB |
| Wall time | 2h 01m |
| Core hours | 4.000 |
| Energy | 52.1k J, all processors of the machine |
| Environment frames | 5,000,000 (689 per second) |
| Parameter updates | 1,249,000 (172 per second) |

## Evaluation

| Network | Protocol | Episodes | Mean ± standard error | Median | Minimum | Maximum | Sticky actions | Epsilon |
|---|---|--:|--:|--:|--:|--:|--:|--:|
| best of 24 evaluations | MinAtar | 100 | 14.25 ± 0.50 | 12.50 | 1.00 | 60.00 | 0.1 | 0.05 |

Training return in the end: 11.50.

**Warning:** the last network scores \*less\*

## Learning curve

![Learning curve](<learning_curve.png>)

## Counters

| Counter | Count |
|---|--:|
| stale gradients | 12,345 |
| invalid gradients | 0 |

## Files

- run log: [metrics.jsonl](<metrics.jsonl>)
)");
}

TEST(ReportTest, JsonHoldsEveryField) {
  const json report = ParseJsonOrThrow<json>(RenderReportJson(Report()));
  EXPECT_EQ(report["command"], "gorila train --env minatar/breakout");
  EXPECT_EQ(report["version"], "0.1.0");
  EXPECT_EQ(report["seed"], 18446744073709551615u);
  EXPECT_EQ(report["environment"], "minatar/breakout");
  EXPECT_EQ(report["machine"], "2 cores, 8 GiB");
  EXPECT_EQ(report["wall_seconds"], 7260);
  EXPECT_EQ(report["cpu_seconds"], 14400);
  EXPECT_EQ(report["joules"], 52100);
  EXPECT_EQ(report["frames"], 5000000);
  EXPECT_EQ(report["updates"], 1249000);
  EXPECT_EQ(report["frames_per_second"], 688.7);
  EXPECT_EQ(report["updates_per_second"], 172);
  ASSERT_EQ(report["evaluations"].size(), 1u);
  const json evaluation = report["evaluations"][0];
  EXPECT_EQ(report["training_return"], 11.5);
  EXPECT_EQ(report["warnings"][0], "the last network scores *less*");
  EXPECT_EQ(evaluation, json({{"network", "best of 24 evaluations"},
                              {"protocol", "MinAtar"},
                              {"episodes", 100},
                              {"mean", 14.25},
                              {"standard_error", 0.5},
                              {"minimum", 1},
                              {"maximum", 60},
                              {"median", 12.5},
                              {"sticky_actions", 0.1},
                              {"epsilon", 0.05}}));
  EXPECT_EQ(report["counters"]["stale gradients"], 12345);
  EXPECT_EQ(report["files"]["run log"], "metrics.jsonl");
  EXPECT_EQ(report["curve_picture"], "learning_curve.png");
}

TEST(ReportTest, SaysWhenEnergyWasNotMeasured) {
  RunReport report = Report();
  report.joules = std::nan("");
  EXPECT_THAT(RenderReportMarkdown(report),
              HasSubstr("| Energy | not measured: no energy counters"));
  EXPECT_TRUE(ParseJsonOrThrow<json>(RenderReportJson(report))["joules"].is_null());
}

TEST(ReportTest, LeavesOutSectionsThatAreEmpty) {
  RunReport report = Report();
  report.evaluations.clear();
  report.counters.clear();
  report.files.clear();
  report.curve_picture.clear();
  const std::string markdown = RenderReportMarkdown(report);
  EXPECT_THAT(markdown, Not(HasSubstr("##")));
  EXPECT_THAT(markdown, Not(HasSubstr("![")));
  EXPECT_TRUE(ParseJsonOrThrow<json>(RenderReportJson(report))["evaluations"].empty());
}

TEST(ReportTest, OneEpisodeHasNoStandardError) {
  RunReport report = Report();
  report.evaluations[0].standard_error = std::nan("");
  EXPECT_THAT(RenderReportMarkdown(report), HasSubstr("| 14.25 |"));
  EXPECT_TRUE(ParseJsonOrThrow<json>(RenderReportJson(report))["evaluations"][0]["standard_error"]
                  .is_null());
}

TEST(ReportTest, TextsCannotBreakTheMarkup) {
  RunReport report = Report();
  report.machine = std::string("a|b\n# <c> *d*");
  report.command = std::string("echo '```'");
  report.files = {{"a [file]", "with space>.txt"}};
  const std::string markdown = RenderReportMarkdown(report);
  EXPECT_THAT(markdown, HasSubstr("| Machine | a\\|b \\# \\<c\\> \\*d\\* |\n"));
  EXPECT_THAT(markdown, HasSubstr("````\necho '```'\n````\n"));
  EXPECT_THAT(markdown, HasSubstr("- a \\[file\\]: [with space\\>.txt](<with space%3E.txt>)\n"));
}

TEST(ReportTest, BrokenUtf8BecomesReplacementCharactersInJson) {
  RunReport report = Report();
  report.command = std::string("\xff");
  EXPECT_EQ(ParseJsonOrThrow<json>(RenderReportJson(report))["command"], "\xef\xbf\xbd");
}

TEST(ReportTest, WritesBothFiles) {
  const fs::path folder = fs::path(testing::TempDir()) / "report_test";
  ASSERT_TRUE(CreateFolders(folder).ok());
  ASSERT_TRUE(WriteReport(folder, Report()).ok());
  EXPECT_EQ(ReadFile(folder / "report.md").value(), RenderReportMarkdown(Report()));
  EXPECT_EQ(ReadFile(folder / "report.json").value(), RenderReportJson(Report()));
  const Status missing = WriteReport(folder / "none", Report());
  EXPECT_FALSE(missing.ok());
  EXPECT_THAT(missing.ToString(), HasSubstr("none/report.md"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace gorila
