#include "gorila/metrics/wide_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace gorila {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

ProgressSnapshot SnapshotAt(std::uint64_t frames, double recent_return) {
  ProgressSnapshot snapshot;
  snapshot.frames = frames;
  snapshot.total_frames = 1000;
  snapshot.recent_return = recent_return;
  return snapshot;
}

BundleProgress SomeBundle() {
  return {.recent_return = 8.42,
          .epsilon = 0.1,
          .work = {0.25, 0.1, 0.62, 0.03, 0},
          .rates = {.frames_per_second = 1104, .updates_per_second = 276, .staleness = 0.52}};
}

std::vector<std::string> Rendered(const TextLines& lines) {
  std::vector<std::string> texts;
  for (const TextPieces& line : lines) texts.push_back(RenderLine(line, false));
  return texts;
}

std::vector<std::string> Curves(const ProgressSnapshot& snapshot, const ProgressHistory& history,
                                int columns = 44, bool utf8 = true) {
  TextLines lines;
  AppendCurveLines(snapshot, history, columns, utf8, lines);
  return Rendered(lines);
}

std::vector<std::string> Workers(const ProgressSnapshot& snapshot, int columns, int most) {
  TextLines lines;
  AppendWorkerLines(snapshot, columns, most, lines);
  return Rendered(lines);
}

TEST(WideProgressTest, ReturnsAndEvaluationsAreCurvesOverTheSameFrames) {
  ProgressHistory history;
  for (int i = 1; i <= 6; ++i) {
    history.Add(SnapshotAt(static_cast<std::uint64_t>(100 * i), i));
  }
  history.AddEvaluation({300, 2.5});
  history.AddEvaluation({500, 1.5});
  EXPECT_THAT(Curves(SnapshotAt(600, 6), history),
              ElementsAre("return      ▁▃▄▆█  6.00   1.00 to 6.00      ",
                          "evaluation    ██▁  1.50   1.50 to 2.50      "));
  EXPECT_THAT(Curves(SnapshotAt(600, 6), history, 44, /*utf8=*/false),
              Contains("return      _:-+#  6.00   1.00 to 6.00      "));
}

TEST(WideProgressTest, WithoutEvaluationsThereIsNoCurveOfThem) {
  const auto curves = Curves(SnapshotAt(0, 0), ProgressHistory());
  EXPECT_THAT(curves, SizeIs(1));
  EXPECT_THAT(curves[0], StartsWith("return "));
  EXPECT_THAT(curves[0], HasSubstr(" - "));
}

TEST(WideProgressTest, EachOfSeveralGamesHasItsCurve) {
  ProgressSnapshot snapshot = SnapshotAt(600, 100);
  snapshot.per_game = {{.name = "minatar/asterix", .recent_return = 3},
                       {.name = "minatar/space_invaders", .recent_return = -250}};
  ProgressHistory history;
  history.Add(snapshot);
  const auto curves = Curves(snapshot, history, 60);
  ASSERT_THAT(curves, SizeIs(2));
  EXPECT_THAT(curves[0], StartsWith("asterix        "));
  EXPECT_THAT(curves[0], HasSubstr("▁  3.00 "));
  EXPECT_THAT(curves[1], StartsWith("space_invaders "));
  EXPECT_THAT(curves[1], HasSubstr("▁  -250.0"));
  snapshot.per_game.resize(kMostGameCurves + 1);
  EXPECT_THAT(Curves(snapshot, history, 60), IsEmpty());
}

TEST(WideProgressTest, CurvesAreAsWideAsTheTerminal) {
  ProgressHistory history;
  for (std::uint64_t i = 1; i <= 5000; ++i) history.Add(SnapshotAt(i, -99999.5 * double(i % 2)));
  history.AddEvaluation({10, 3});
  for (int columns = 60; columns <= kMostColumns; ++columns) {
    for (const std::string& line : Curves(SnapshotAt(5000, 0), history, columns)) {
      EXPECT_LE(TextColumns(line), columns);
      EXPECT_GE(TextColumns(line), columns - 3) << line;
    }
  }
}

TEST(WideProgressTest, ABundleHasALine) {
  ProgressSnapshot snapshot;
  snapshot.per_bundle = {SomeBundle(), SomeBundle()};
  EXPECT_THAT(
      Workers(snapshot, 120, 8),
      ElementsAre("bundle 0   frames/s 1.10k  updates/s 276   return 8.42    epsilon 0.100  "
                  "staleness 0.52  learner 62%",
                  StartsWith("bundle 1   ")));
}

TEST(WideProgressTest, ActorsAndLearnersHaveLinesToo) {
  ProgressSnapshot snapshot;
  snapshot.per_bundle = {SomeBundle(), SomeBundle()};
  snapshot.per_bundle[1].learns = false;
  snapshot.per_bundle[1].rates = {.frames_per_second = 20};
  snapshot.learner_work = {{0, 0, 1, 0, 0}};
  snapshot.learner_rates = {{.updates_per_second = 30, .staleness = 1.25}};
  const auto lines = Workers(snapshot, 120, 8);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[1], StartsWith("actor 0    frames/s 20.0   updates/s -   "));
  EXPECT_THAT(lines[2], StartsWith("learner 0  frames/s -      updates/s 30.0  return -  "));
  EXPECT_THAT(lines[2], HasSubstr("staleness 1.25  learner 100%"));
}

TEST(WideProgressTest, OfManyWorkersTheFirstAreShownAndTheOthersCounted) {
  ProgressSnapshot snapshot;
  snapshot.per_bundle.assign(100, SomeBundle());
  snapshot.lowest_bundle_return = 1;
  snapshot.highest_bundle_return = 9;
  const auto lines = Workers(snapshot, 100, 50);
  ASSERT_THAT(lines, SizeIs(8));
  EXPECT_THAT(lines[6], StartsWith("bundle 6 "));
  EXPECT_EQ(lines[7], "and 93 more; returns of all: 1.00 to 9.00");
  EXPECT_THAT(Workers(snapshot, 100, 3), SizeIs(3)) << "a low terminal";
  EXPECT_THAT(Workers(snapshot, 100, 1), ElementsAre("and 100 more; returns of all: 1.00 to 9.00"));
  EXPECT_THAT(Workers(snapshot, 100, 0), IsEmpty());
  EXPECT_THAT(Workers(snapshot, 100, -2), IsEmpty());
}

TEST(WideProgressTest, FiguresThatDoNotFitAreLeftOutWhole) {
  ProgressSnapshot snapshot;
  snapshot.per_bundle = {SomeBundle()};
  snapshot.per_bundle[0].recent_return = -123456.7;
  snapshot.per_bundle[0].work = {0, 0, 0, 1, 0};
  for (int columns = 60; columns <= kMostColumns; ++columns) {
    EXPECT_LE(TextColumns(Workers(snapshot, columns, 8)[0]), columns);
  }
  EXPECT_THAT(Workers(snapshot, 100, 8)[0], Not(HasSubstr("server")));
  EXPECT_THAT(Workers(snapshot, 120, 8)[0], HasSubstr("server 100%"));
}

// The lines that a view draws in a terminal of this size.
std::vector<std::string> Drawn(TerminalSize size, bool utf8 = true) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = true, .utf8 = utf8, .size = [size] { return size; }});
  view.AddEvaluation(200, 5);
  ProgressSnapshot snapshot = SnapshotAt(400, 3);
  snapshot.per_bundle = {SomeBundle(), SomeBundle(), SomeBundle()};
  view.Show(snapshot);
  std::string text = out.str();
  for (const std::string_view code : {"\x1b[K", "\x1b[J"}) {
    for (auto at = text.find(code); at != text.npos; at = text.find(code)) text.erase(at, 3);
  }
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(WideProgressTest, ATerminalOfAHundredColumnsHasCurvesAndWorkers) {
  const auto wide = Drawn({100, 24});
  ASSERT_THAT(wide, SizeIs(4 + 2 + 3));
  EXPECT_THAT(wide[4], StartsWith("return "));
  EXPECT_THAT(wide[5], StartsWith("evaluation "));
  EXPECT_THAT(wide[6], StartsWith("bundle 0 "));
  EXPECT_EQ(TextColumns(wide[0]), 100) << "the bar, too";
  EXPECT_EQ(TextColumns(Drawn({300, 24})[0]), kMostColumns);
}

TEST(WideProgressTest, ANarrowerOneIsAsItWas) {
  std::vector<std::string> before = FormatProgressView(SnapshotAt(400, 3), 99, false);
  EXPECT_EQ(Drawn({99, 24}), before);
}

TEST(WideProgressTest, ALowTerminalShowsTheFirstLines) {
  for (int rows = 2; rows < 12; ++rows) {
    EXPECT_LE(Drawn({100, rows}).size(), static_cast<std::size_t>(rows - 1));
  }
  EXPECT_THAT(Drawn({100, 9}).back(), StartsWith("and 2 more"));
}

TEST(WideProgressTest, WithoutUtf8EverythingIsAscii) {
  for (const std::string& line : Drawn({120, 24}, /*utf8=*/false)) {
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }))
        << line;
  }
}

TEST(ProgressHistoryTest, ARunThatIsResumedKeepsItsCurves) {
  ProgressHistory before;
  before.AddReturn("", {100, 1});
  before.AddEvaluation({100, 7});
  std::ostringstream out;
  ProgressView view(out, {.terminal = true, .size = [] { return TerminalSize{100, 24}; }});
  view.BeginWith(before);
  view.Show(SnapshotAt(200, 2));
  EXPECT_THAT(out.str(), HasSubstr("1.00 to 2.00"));
  EXPECT_THAT(out.str(), HasSubstr("7.00 to 7.00"));
}

TEST(ProgressHistoryTest, IsBounded) {
  ProgressHistory history;
  for (std::uint64_t i = 0; i < 100'000; ++i) history.Add(SnapshotAt(i, double(i)));
  EXPECT_LE(history.Returns("").size(), 1025u);
  EXPECT_EQ(history.Returns("").back().x, 99'999);
  EXPECT_THAT(history.Evaluations(), IsEmpty());
}

}  // namespace
}  // namespace gorila
