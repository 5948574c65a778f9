#include "gorila/scores/minatar_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gorila/base/csv.h"

namespace gorila {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

std::vector<MinAtarSection> Sections() {
  return {{.game = "minatar/seaquest",
           .measure = MinAtarMeasure::kTraining,
           .rows = {{.ours = true,
                     .agent = "dqn (minatar-dqn, run.bundles=2)",
                     .least_frames = 5'000'000,
                     .most_frames = 5'000'024,
                     .runs = "5",
                     .score = 17.456,
                     .half_interval = 1.5,
                     .epsilon = 0.1,
                     .source = "runs/a|b"},
                    {.agent = "DQN",
                     .least_frames = 5'000'000,
                     .most_frames = 5'000'000,
                     .score = 20,
                     .source = "Young & Tian 2019",
                     .notes = {"read off a plot", "Seaquest before its oxygen fix"}},
                    {.ours = true,
                     .agent = "dqn (minatar-dqn)",
                     .least_frames = 12'000,
                     .most_frames = 12'000,
                     .runs = "1",
                     .source = "runs/c",
                     .notes = {"short"},
                     .obstacles = {"12.0k frames (published: 5.00M)"}}}}};
}

// The line of `text` that has `part`.
std::string Line(const std::string& text, std::string_view part) {
  for (const std::string_view line : SplitLines(text)) {
    if (line.find(part) != std::string_view::npos) return std::string(line);
  }
  return "";
}

TEST(MinAtarTextTest, RowsHaveScoreIntervalEpsilonAndSource) {
  const std::string text = MinAtarTableText(Sections());
  EXPECT_THAT(text, HasSubstr("\nminatar/seaquest, training return\n"));
  const std::string ours = Line(text, "ours: dqn (minatar-dqn, run.bundles=2)");
  EXPECT_THAT(ours, HasSubstr("5.00M     5  17.46  [15.96, 18.96]      0.1  runs/a|b"));
  const std::string published = Line(text, "Young & Tian 2019");
  EXPECT_THAT(published, HasSubstr("5.00M     -     20               -        -  Young"));
  EXPECT_THAT(published, HasSubstr("read off a plot; Seaquest before its oxygen fix"));
}

TEST(MinAtarTextTest, WhatIsNotComparableSaysWhy) {
  const std::string text = MinAtarTableText(Sections());
  EXPECT_THAT(Line(text, "runs/c"),
              HasSubstr("not comparable: 12.0k frames (published: 5.00M); short"));
  EXPECT_THAT(text, HasSubstr("Not comparable: no published"));
  auto sections = Sections();
  sections[0].rows.pop_back();
  EXPECT_THAT(MinAtarTableText(sections), Not(HasSubstr("Not comparable")));
}

TEST(MinAtarTextTest, SeaquestsVersionIsExplainedBesideSeaquestOnly) {
  auto sections = Sections();
  EXPECT_THAT(MinAtarTableText(sections), HasSubstr("MinAtar up to 1.0.10"));
  sections[0].game = "minatar/asterix";
  EXPECT_THAT(MinAtarTableText(sections), Not(HasSubstr("MinAtar up to 1.0.10")));
}

TEST(MinAtarTextTest, MarkdownRowsHaveTheColumnsOfTheirHeader) {
  const std::string text = MinAtarTableMarkdown(Sections());
  EXPECT_THAT(text, HasSubstr("## minatar/seaquest, training return\n\n| agent | frames |"));
  int rows = 0;
  for (const std::string_view line : SplitLines(text)) {
    if (!line.starts_with("|")) continue;
    ++rows;
    const bool escaped = line.find("\\|") != std::string_view::npos;
    EXPECT_EQ(std::count(line.begin(), line.end(), '|'), escaped ? 10 : 9) << line;
  }
  EXPECT_EQ(rows, 5);
}

TEST(MinAtarTextTest, CsvHasOneLineForEachRowAndQuotesItsTexts) {
  const std::string text = MinAtarTableCsv(Sections());
  ASSERT_THAT(SplitLines(text), SizeIs(4));
  EXPECT_EQ(Line(text, "Young"),
            "minatar/seaquest,training,published,DQN,yes,5000000,,20,,,,Young & Tian 2019,"
            "read off a plot; Seaquest before its oxygen fix");
  EXPECT_THAT(Line(text, "runs/a"),
              HasSubstr("ours,\"dqn (minatar-dqn, run.bundles=2)\",yes,5000024,5,17.456,15.956,"
                        "18.956,0.1,runs/a|b,"));
  EXPECT_THAT(Line(text, "runs/c"), HasSubstr(",no,12000,1,,,,,runs/c,not comparable"));
}

}  // namespace
}  // namespace gorila
