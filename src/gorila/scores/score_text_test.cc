#include "gorila/scores/score_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gorila/base/csv.h"

namespace gorila {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const std::vector<ScoreResult> kResults = {{"pong", "noop30", 9.3, "a"},
                                           {"pong", "noop30", 39.3, "a"},
                                           {"pixel/breakout", "noop30", 12.5, "c"}};

ScoreTable Table(Denominator denominator, const std::vector<ScoreResult>& results = {}) {
  return MakeScoreTable(PublishedAtariGames(), results,
                        {.denominator = denominator, .bootstrap = {.resamples = 50}})
      .value();
}

// The line of `text` that begins with `start`.
std::string Line(const std::string& text, std::string_view start) {
  for (const std::string_view line : SplitLines(text)) {
    if (line.starts_with(start)) return std::string(line);
  }
  return "";
}

TEST(ScoreTextTest, TerminalTableNamesTheDenominatorAndTheAggregates) {
  const std::string text = ScoreTableText(Table(Denominator::kSigned));
  EXPECT_THAT(text, HasSubstr("denominator: human - random (signed)"));
  EXPECT_THAT(ScoreTableText(Table(Denominator::kAbsolute)),
              HasSubstr("denominator: |human - random| (absolute)"));
  EXPECT_THAT(text, HasSubstr("Atari 2600, null-op starts"));
  EXPECT_THAT(text, HasSubstr("Atari 2600, human starts"));
  EXPECT_THAT(text, HasSubstr("41 of 49"));
  EXPECT_THAT(text, HasSubstr("31 of 49"));
  EXPECT_THAT(text, HasSubstr("95 % bootstrap interval over games"));
  EXPECT_THAT(text, Not(HasSubstr("ours")));
  EXPECT_THAT(Line(text, "breakout"), HasSubstr("1330.6"));
}

TEST(ScoreTextTest, LinesOfATableHaveTheSameWidthAndNoSpacesAtTheirEnds) {
  const std::string text =
      ScoreTableText(Table(Denominator::kSigned));  // the lines are views of it
  for (const std::string_view line : SplitLines(text)) {
    EXPECT_FALSE(line.ends_with(' ')) << line;
    EXPECT_LE(line.size(), 130u) << line;
  }
}

TEST(ScoreTextTest, OursAppearWhereWeHaveResults) {
  const std::string text = ScoreTableText(Table(Denominator::kSigned, kResults));
  EXPECT_THAT(text, HasSubstr("(ours: protocol noop30)"));
  const std::string pong = Line(text, "pong");
  EXPECT_THAT(pong, HasSubstr("24.3"));
  EXPECT_THAT(pong, HasSubstr("150.0"));
  EXPECT_THAT(Line(text, "alien"), HasSubstr(" -"));
  EXPECT_THAT(Line(text, "pixel/breakout"), HasSubstr("12.50"));
  EXPECT_THAT(text, HasSubstr("over runs, stratified by game"));
}

TEST(ScoreTextTest, WhatTellsSettingsApartIsAColumn) {
  std::vector<ScoreResult> results = kResults;
  EXPECT_THAT(ScoreTableText(Table(Denominator::kSigned, results)), Not(HasSubstr("settings")));
  results.push_back({"pixel/breakout", "noop30", 99.5, "d"});
  results.push_back({"alien", "noop30", 1, "d"});
  const ScoreTable table = Table(Denominator::kSigned, results);
  EXPECT_THAT(ScoreTableMarkdown(table), HasSubstr("| pixel/breakout | noop30 | c | 1 | 12.50 |"));
  EXPECT_THAT(ScoreTableMarkdown(table), HasSubstr("| pixel/breakout | noop30 | d | 1 | 99.50 |"));
  for (const std::string& text : {ScoreTableText(table), ScoreTableMarkdown(table)}) {
    EXPECT_THAT(text, HasSubstr("ours: from several files, whose settings are not compared"));
  }
}

TEST(ScoreTextTest, MarkdownRowsHaveTheColumnsOfTheirHeader) {
  const std::string text = ScoreTableMarkdown(Table(Denominator::kSigned, kResults));
  EXPECT_THAT(text, HasSubstr("| pong | -20.7 | 9.3 | 18.9 | 18.3 | 24.3 | 2 | 132.0 | 130.0 | "
                              "150.0 |\n"));
  std::size_t columns = 0;  // of the present table
  for (const std::string_view line : SplitAt(text, '\n')) {
    if (!line.starts_with("|")) {
      columns = 0;
      continue;
    }
    const auto bars = static_cast<std::size_t>(std::count(line.begin(), line.end(), '|'));
    // The denominator's bars stand outside tables.
    if (columns == 0) columns = bars;
    EXPECT_EQ(bars, columns) << line;
  }
}

TEST(ScoreTextTest, CsvHasOneWholeLineForEachGame) {
  const std::string text = ScoreTableCsv(Table(Denominator::kSigned, kResults));
  const std::vector<std::string_view> lines = SplitLines(text);
  ASSERT_THAT(lines, SizeIs(50));
  const std::size_t columns = SplitAt(lines[0], ',').size();
  EXPECT_EQ(columns, 1u + 8 + 10);
  for (const std::string_view line : lines) EXPECT_THAT(SplitAt(line, ','), SizeIs(columns));
  EXPECT_EQ(Line(text, "pong"),
            "pong,-20.7,9.3,18.9,18.3,-18,15.5,16.2,16.71,"
            "24.30,2,132.00,130.00,150.00,,,102.09,103.61,");
}

TEST(ScoreTextTest, TheCsvsFirstColumnsAreThePublishedTable) {
  const std::string text = ScoreTableCsv(Table(Denominator::kSigned));
  std::string published;
  for (const std::string_view line : SplitLines(text)) {
    const std::vector<std::string_view> cells = SplitAt(line, ',');
    published += fmt::format("{}\n", fmt::join(cells.begin(), cells.begin() + 9, ","));
  }
  EXPECT_EQ(published, AtariScoresText());
}

}  // namespace
}  // namespace gorila
