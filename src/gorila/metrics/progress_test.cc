#include "gorila/metrics/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <limits>
#include <sstream>
#include <thread>

#include "gorila/base/testing.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

ProgressSnapshot Snapshot() {
  ProgressSnapshot snapshot;
  snapshot.frames = 1234567;
  snapshot.total_frames = 5000000;
  snapshot.updates = 307000;
  snapshot.frames_per_second = 2214;
  snapshot.updates_per_second = 551.4;
  snapshot.epsilon = 0.1;
  snapshot.recent_return = 8.4219;
  snapshot.episodes = 12345;
  snapshot.accepted = 307000;
  snapshot.stale = 12;
  snapshot.outliers = 3;
  snapshot.replay_size = 87100;
  snapshot.replay_capacity = 100000;
  snapshot.seconds_elapsed = 604;
  snapshot.seconds_left = 1872;
  snapshot.bundles = 4;
  snapshot.work = {0.25, 0.1, 0.62, 0.03, 0};
  snapshot.bottleneck = Bottleneck(snapshot.work);
  snapshot.loss = 0.0213;
  snapshot.value_mean = 3.5;
  snapshot.resident_bytes = 123456789;
  return snapshot;
}

// Every figure as wide as it gets.
ProgressSnapshot WideSnapshot() {
  ProgressSnapshot snapshot = Snapshot();
  snapshot.frames = snapshot.episodes = snapshot.accepted = 999499999;
  snapshot.total_frames = 999999999;
  snapshot.replay_size = snapshot.replay_capacity = 1000000;
  snapshot.stale = snapshot.outliers = snapshot.invalid = 1234567;
  snapshot.recent_return = -123456.7;
  snapshot.seconds_elapsed = snapshot.seconds_left = 50 * 86400;
  snapshot.bundles = 1000;
  snapshot.work = {0, 0, 0, 1, 0};
  snapshot.bottleneck = Bottleneck(snapshot.work);
  snapshot.loss = 123456;
  snapshot.value_mean = -12345;
  snapshot.resident_bytes = 999499999999;
  return snapshot;
}

ProgressSnapshot GamesSnapshot(const std::vector<std::string>& names) {
  ProgressSnapshot snapshot = Snapshot();
  for (std::size_t i = 0; i < names.size(); ++i) {
    snapshot.per_game.push_back({.name = names[i], .recent_return = 1.5 * static_cast<double>(i)});
  }
  return snapshot;
}

const std::vector<std::string> kMinAtar = {"minatar/asterix", "minatar/breakout", "minatar/freeway",
                                           "minatar/seaquest", "minatar/space_invaders"};

int Columns(const std::string& line) {
  int columns = 0;
  for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return columns;
}

// The bytes of a line's character at `column`, or where it would be.
std::size_t ByteAt(const std::string& line, std::size_t column) {
  std::size_t at = 0;
  for (; at < line.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(line[at]) & 0xc0) != 0x80;
    if (begins && column-- == 0) break;
  }
  return at;
}

// What a terminal with these control sequences shows: its lines, and whether the cursor ever left
// the lines it has. It begins at the end of the last of `lines`.
std::vector<std::string> Screen(const std::string& output, std::vector<std::string> lines = {""}) {
  std::size_t row = lines.size() - 1;
  std::size_t column = static_cast<std::size_t>(Columns(lines[row]));
  for (std::size_t i = 0; i < output.size(); ++i) {
    std::string& line = lines[row];
    if (output[i] == '\n') {
      column = 0;
      if (++row == lines.size()) lines.emplace_back();
    } else if (output[i] == '\r') {
      column = 0;
    } else if (output[i] == '\x1b') {
      std::size_t end = i + 2;
      while (std::isdigit(output[end])) ++end;
      const std::string digits = output.substr(i + 2, end - i - 2);
      if (output[end] == 'A') {
        const std::size_t number = std::stoul(digits);
        EXPECT_LE(number, row);
        row -= number;
      } else if (output[end] == 'K' && digits.empty()) {
        line.resize(ByteAt(line, column));
      } else if (output[end] == 'J' && digits.empty()) {
        line.resize(ByteAt(line, column));
        lines.resize(row + 1);
      } else {
        ADD_FAILURE() << "unknown control sequence " << output.substr(i + 1, end - i);
      }
      i = end;
    } else {
      std::size_t end = i + 1;
      while (end < output.size() && (static_cast<unsigned char>(output[end]) & 0xc0) == 0x80) ++end;
      const std::size_t at = ByteAt(line, column);
      line.replace(at, ByteAt(line, column + 1) - at, output.substr(i, end - i));
      ++column;
      i = end - 1;
    }
  }
  return lines;
}

TEST(ProgressViewTest, SeveralGamesHaveTheirReturnsInLinesOfTheirOwn) {
  ProgressSnapshot snapshot = GamesSnapshot(kMinAtar);
  snapshot.per_game[1].recent_return = std::numeric_limits<double>::quiet_NaN();
  const auto lines = FormatProgressView(snapshot, 80, /*colour=*/false);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[4], "asterix 0.00    breakout -       freeway 3.00    seaquest 4.50  ");
  EXPECT_EQ(lines[5], "space_invaders 6.00  ");
  snapshot.per_game[0].recent_return = -999.9;
  EXPECT_THAT(FormatProgressView(snapshot, 80, false)[4], testing::StartsWith("asterix -999.9  b"))
      << "the other games stand still";
  EXPECT_THAT(FormatProgressLine(snapshot),
              HasSubstr("return 8.42 (asterix -999.9, breakout -, freeway 3.00, seaquest 4.50, "
                        "space_invaders 6.00), epsilon"));
}

TEST(ProgressViewTest, ManyGamesAreCountedWhereThereIsNoRoomForThem) {
  std::vector<std::string> names;
  for (int i = 0; i < 49; ++i) names.push_back("atari/game_" + std::to_string(i));
  ProgressSnapshot snapshot = GamesSnapshot(names);
  for (int columns = 0; columns <= 90; ++columns) {
    const auto lines = FormatProgressView(snapshot, columns, false);
    EXPECT_LE(lines.size(), 8u);
    for (const std::string& line : lines) EXPECT_LE(Columns(line), std::min(columns, 80)) << line;
  }
  EXPECT_THAT(FormatProgressView(snapshot, 80, false).back(), EndsWith("  +30 more"));
  EXPECT_THAT(FormatProgressLine(snapshot), HasSubstr("game_9 13.50, 39 more games), epsilon"));
  snapshot.per_game[0].recent_return = -1234567;
  for (const std::string& line : FormatProgressView(snapshot, 40, false)) {
    EXPECT_LE(Columns(line), 40) << line;
  }
}

TEST(ProgressFormatTest, ShowsEveryFigure) {
  const auto lines = FormatProgressView(Snapshot(), 80, false);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[0], HasSubstr("━─"));
  EXPECT_THAT(lines[0], HasSubstr("  24.6%  1.23M/5.00M frames  10m 04s, 31m 12s left"));
  EXPECT_EQ(Columns(lines[0]), 80);
  EXPECT_EQ(lines[1],
            "frames/s 2.21k  return 8.42    epsilon 0.100  episodes 12.3k  replay 87.1k/100k");
  EXPECT_EQ(lines[2],
            "updates/s 551   accepted 307k   stale 12   outliers 3    invalid 0  bundles 4");
  EXPECT_EQ(lines[3], "bottleneck learner 62%            loss 0.02   value 3.50    memory 123MB");
}

TEST(ProgressFormatTest, BarFollowsTheFraction) {
  ProgressSnapshot snapshot = Snapshot();
  const auto filled = [&snapshot] {
    const std::string line = FormatProgressView(snapshot, 80, false)[0];
    const std::string full = "━";
    int count = 0;
    for (std::size_t at = line.find(full); at != line.npos; at = line.find(full, at + 1)) ++count;
    return count;
  };
  snapshot.frames = 0;
  EXPECT_EQ(filled(), 0);
  snapshot.frames = snapshot.total_frames;
  const int whole = filled();
  EXPECT_GT(whole, 20);
  EXPECT_THAT(FormatProgressView(snapshot, 80, false)[0], Not(HasSubstr("─")));
  snapshot.frames = snapshot.total_frames / 2;
  EXPECT_NEAR(filled(), whole / 2.0, 1);
  snapshot.frames = 2 * snapshot.total_frames;  // the last actors' steps
  EXPECT_EQ(filled(), whole);
}

TEST(ProgressFormatTest, IsNotAtHundredPercentBeforeTheEnd) {
  ProgressSnapshot snapshot = Snapshot();
  snapshot.frames = snapshot.total_frames - 1;
  EXPECT_THAT(FormatProgressView(snapshot, 80, false)[0], HasSubstr(" 99.9%"));
}

TEST(ProgressFormatTest, WithoutUtf8EverythingIsAscii) {
  const auto lines = FormatProgressView(Snapshot(), 45, false, /*utf8=*/false);
  EXPECT_EQ(lines[0], "==-------  24.6%  1.23M/5.00M frames  10m 04s");
  for (const std::string& line : FormatProgressView(GamesSnapshot(kMinAtar), 80, false, false)) {
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }))
        << line;
  }
}

TEST(ProgressFormatTest, NeverExceedsTheTerminalOrEightyColumns) {
  for (const ProgressSnapshot& snapshot : {Snapshot(), WideSnapshot(), ProgressSnapshot()}) {
    for (const int columns : {0, 1, 20, 40, 79, 80, 200}) {
      const auto lines = FormatProgressView(snapshot, columns, false);
      EXPECT_EQ(lines.size(), 4u);
      for (const std::string& line : lines) EXPECT_LE(Columns(line), std::min(columns, 80));
    }
  }
}

TEST(ProgressFormatTest, LeavesFiguresOutWholeInANarrowTerminal) {
  const auto lines = FormatProgressView(Snapshot(), 45, false);
  EXPECT_EQ(lines[0], "━━───────  24.6%  1.23M/5.00M frames  10m 04s");
  EXPECT_EQ(lines[1], "frames/s 2.21k  return 8.42    epsilon 0.100");
  EXPECT_EQ(lines[2], "updates/s 551   accepted 307k   stale 12");
  EXPECT_EQ(lines[3], "bottleneck learner 62%            loss 0.02");
  EXPECT_EQ(FormatProgressView(Snapshot(), 44, false)[1],
            "frames/s 2.21k  return 8.42    epsilon 0.100");
  EXPECT_EQ(FormatProgressView(Snapshot(), 43, false)[1], "frames/s 2.21k  return 8.42");
}

TEST(ProgressFormatTest, ColourChangesNothingButAddsCodes) {
  const auto plain = FormatProgressView(Snapshot(), 80, false);
  const auto coloured = FormatProgressView(Snapshot(), 80, true);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_THAT(plain[i], Not(HasSubstr("\x1b")));
    std::string stripped;
    for (std::size_t at = 0; at < coloured[i].size(); ++at) {
      if (coloured[i][at] == '\x1b') {
        at = coloured[i].find('m', at);
      } else {
        stripped += coloured[i][at];
      }
    }
    EXPECT_EQ(stripped, plain[i]);
  }
  EXPECT_THAT(coloured[0], HasSubstr("\x1b[32m━"));
  EXPECT_THAT(coloured[2], HasSubstr("\x1b[33m12\x1b[0m"));
}

TEST(ProgressFormatTest, ShowsUnknownsWithoutInventingThem) {
  const auto lines = FormatProgressView(ProgressSnapshot(), 80, false);
  EXPECT_EQ(lines[0], "0 frames  0s elapsed");
  EXPECT_THAT(lines[1], HasSubstr("return - "));
  ProgressSnapshot no_rate = Snapshot();
  no_rate.seconds_left = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(FormatProgressView(no_rate, 80, false)[0], HasSubstr("? left"));
  EXPECT_THAT(FormatProgressLine(no_rate), Not(HasSubstr("left")));
}

TEST(ProgressFormatTest, SaysThatNothingIsKnownBeforeAWorkerReports) {
  ProgressSnapshot silent = Snapshot();
  silent.bundles = 0;
  silent.epsilon = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(FormatProgressLine(silent), HasSubstr("epsilon -, "));
  EXPECT_THAT(FormatProgressLine(silent), HasSubstr("invalid 0, no worker reports"));
  const std::vector<std::string> view = FormatProgressView(silent, 80, false);
  EXPECT_THAT(view[1], HasSubstr("epsilon - "));
  EXPECT_THAT(view[2], EndsWith("bundles -"));
}

TEST(ProgressFormatTest, PlainLineIsAsciiAndComplete) {
  EXPECT_EQ(FormatProgressLine(Snapshot()),
            "[10m 04s] frames 1.23M/5.00M (24.6%) 2.21k/s, updates 307k 551/s, return 8.42, "
            "epsilon 0.100, episodes 12.3k, stale 12, outliers 3, invalid 0, bundles 4, "
            "bottleneck learner 62%, 31m 12s left");
}

TEST(ProgressViewTest, RedrawsInPlace) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = true});
  view.Show(WideSnapshot());
  view.Show(Snapshot());
  std::vector<std::string> expected = FormatProgressView(Snapshot(), 80, false);
  expected.emplace_back();  // the line of the cursor
  EXPECT_EQ(Screen(out.str()), expected);
}

TEST(ProgressViewTest, WritesOverWhatIsThereSoThatNothingFlickers) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = true});
  view.Show(Snapshot());
  out.str("");
  view.Show(Snapshot());
  // Nothing is erased before the text that replaces it has been written.
  EXPECT_EQ(out.str().find("\x1b[2K"), std::string::npos);
  EXPECT_EQ(out.str().rfind("\x1b[J"), out.str().find("\x1b[J"));
  EXPECT_THAT(out.str(), EndsWith("\x1b[J"));
}

TEST(ProgressViewTest, KeysThatTheTerminalEchoedDisappear) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = true});
  view.Show(WideSnapshot());
  out << "^C";
  view.Show(Snapshot());
  std::vector<std::string> expected = FormatProgressView(Snapshot(), 80, false);
  expected.emplace_back();
  EXPECT_EQ(Screen(out.str()), expected);
  out << "^C";
  view.Print("stopping");
  expected.insert(expected.begin(), "stopping");
  EXPECT_EQ(Screen(out.str()), expected);
}

// Shows in a terminal of one size, then of another; what the terminal has then.
std::vector<std::string> ScreenAfterResize(TerminalSize before, TerminalSize after,
                                           const std::function<void(ProgressView&)>& action) {
  std::ostringstream out;
  TerminalSize size = before;
  ProgressView view(out, {.terminal = true, .size = [&size] { return size; }});
  view.Print("before");
  view.Show(Snapshot());
  std::vector<std::string> folded;
  for (const std::string& line : Screen(out.str())) {
    const int rows = std::max(1, (Columns(line) + after.columns - 1) / after.columns);
    folded.insert(folded.end(), static_cast<std::size_t>(rows), "torn");
  }
  folded.back().clear();  // the line of the cursor
  out.str("");
  size = after;
  action(view);
  std::vector<std::string> screen = Screen(out.str(), std::move(folded));
  EXPECT_EQ(screen.back(), "");
  screen.pop_back();
  return screen;
}

TEST(ProgressViewTest, FollowsTheSizeOfTheTerminal) {
  const auto show = [](ProgressView& view) { view.Show(Snapshot()); };
  for (const int columns : {7, 33, 40, 79, 80, 99}) {
    std::vector<std::string> expected = FormatProgressView(Snapshot(), columns, false);
    expected.insert(expected.begin(), "torn");  // the message above stays
    EXPECT_EQ(ScreenAfterResize({80, 24}, {columns, 24}, show), expected);
    EXPECT_EQ(ScreenAfterResize({40, 24}, {columns, 24}, show), expected);
  }
}

TEST(ProgressViewTest, PrintsIntoATerminalThatHasBecomeNarrower) {
  std::vector<std::string> expected = FormatProgressView(Snapshot(), 30, false);
  expected.insert(expected.begin(), {"torn", "message"});
  EXPECT_EQ(
      ScreenAfterResize({80, 24}, {30, 24}, [](ProgressView& view) { view.Print("message"); }),
      expected);
}

TEST(ProgressViewTest, ShowsAsManyLinesAsFit) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = true, .size = [] { return TerminalSize{80, 3}; }});
  view.Show(Snapshot());
  view.Show(Snapshot());
  const auto lines = FormatProgressView(Snapshot(), 80, false);
  EXPECT_THAT(Screen(out.str()), ElementsAre(lines[0], lines[1], ""));
}

TEST(ProgressViewTest, PrintsMessagesAboveTheView) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = true});
  view.Print("before");
  view.Show(Snapshot());
  view.Print("between");
  view.Show(Snapshot());
  view.Print("after");
  const auto lines = FormatProgressView(Snapshot(), 80, false);
  EXPECT_THAT(Screen(out.str()), ElementsAre("before", "between", "after", lines[0], lines[1],
                                             lines[2], lines[3], ""));
}

TEST(ProgressViewTest, WritesPlainLinesWhenNotOnATerminal) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = false, .colour = true});
  view.Show(Snapshot());
  view.Print("message");
  view.Show(Snapshot());
  const std::string line = FormatProgressLine(Snapshot());
  EXPECT_EQ(out.str(), line + "\nmessage\n" + line + "\n");
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

TEST(ProgressViewTest, QuietPrintsNothing) {
  std::ostringstream out;
  ProgressView view(out, {.quiet = true, .terminal = true});
  view.Show(Snapshot());
  view.Print("message");
  EXPECT_EQ(out.str(), "");
}

TEST(ProgressViewTest, MessagesAndViewsOfSeveralThreadsDoNotMix) {
  std::ostringstream out;
  ProgressView view(out, {.terminal = true});
  constexpr int kMessages = 50;
  std::vector<std::thread> threads;
  for (const char* const message : {"first", "second"}) {
    threads.emplace_back([&view, message] {
      for (int i = 0; i < kMessages; ++i) view.Print(message);
    });
  }
  for (int i = 0; i < kMessages; ++i) view.Show(Snapshot());
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> screen = Screen(out.str());
  EXPECT_EQ(std::count(screen.begin(), screen.end(), "first"), kMessages);
  EXPECT_EQ(std::count(screen.begin(), screen.end(), "second"), kMessages);
  EXPECT_EQ(screen.size(), 2u * kMessages + 4 + 1);
}

class ProgressOptionsTest : public testing::Test {
 protected:
  // A terminal without anybody behind it.
  void SetUp() override {
    terminal_ = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(terminal_, 0);
  }
  void TearDown() override { close(terminal_); }
  int terminal_ = -1;
};

TEST_F(ProgressOptionsTest, UsesATerminalInColour) {
  const ScopedVariable term("TERM", "xterm");
  const ScopedVariable no_color("NO_COLOR", "");
  winsize size{};
  size.ws_col = 66;
  ASSERT_EQ(ioctl(terminal_, TIOCSWINSZ, &size), 0);
  const ProgressOptions options = DetectProgressOptions(terminal_, false);
  EXPECT_TRUE(options.terminal);
  EXPECT_TRUE(options.colour);
  EXPECT_FALSE(options.quiet);
  EXPECT_EQ(options.size().columns, 66);
  size.ws_col = 50;
  ASSERT_EQ(ioctl(terminal_, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(options.size().columns, 50);
}

TEST_F(ProgressOptionsTest, TheLocaleSaysWhetherTheTerminalTakesUtf8) {
  const ScopedVariable all("LC_ALL", "C");
  EXPECT_FALSE(DetectProgressOptions(terminal_, false).utf8);
  const ScopedVariable utf8("LC_ALL", "C.UTF-8");
  EXPECT_TRUE(DetectProgressOptions(terminal_, false).utf8);
}

TEST_F(ProgressOptionsTest, ObeysNoColor) {
  const ScopedVariable term("TERM", "xterm");
  const ScopedVariable no_color("NO_COLOR", "1");
  const ProgressOptions options = DetectProgressOptions(terminal_, false);
  EXPECT_TRUE(options.terminal);
  EXPECT_FALSE(options.colour);
}

TEST_F(ProgressOptionsTest, WritesPlainLinesToADumbTerminal) {
  const ScopedVariable term("TERM", "dumb");
  EXPECT_FALSE(DetectProgressOptions(terminal_, false).terminal);
  EXPECT_FALSE(DetectProgressOptions(terminal_, false).colour);
}

TEST_F(ProgressOptionsTest, WritesPlainLinesToAFile) {
  const ScopedVariable term("TERM", "xterm");
  const int file = open("/dev/null", O_WRONLY);
  const ProgressOptions options = DetectProgressOptions(file, true);
  close(file);
  EXPECT_FALSE(options.terminal);
  EXPECT_FALSE(options.colour);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.size(), TerminalSize());
}

}  // namespace
}  // namespace gorila
