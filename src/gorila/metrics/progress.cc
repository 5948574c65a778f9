#include "gorila/metrics/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "gorila/base/utf8_locale.h"
#include "gorila/metrics/game_names.h"
#include "gorila/metrics/number_format.h"
#include "gorila/metrics/progress_history.h"
#include "gorila/metrics/text_line.h"
#include "gorila/metrics/wide_progress.h"

namespace gorila {
namespace {

constexpr int kWidestView = 80;

double Fraction(const ProgressSnapshot& snapshot) {
  if (snapshot.total_frames == 0) return 0;
  return std::min(
      1.0, static_cast<double>(snapshot.frames) / static_cast<double>(snapshot.total_frames));
}

// Rounded down: a run that is not finished never shows 100 %.
std::string FormatPercent(double fraction) {
  return fmt::format("{:.1f}%", std::floor(fraction * 1000) / 10);
}

TextPieces BarLine(const ProgressSnapshot& snapshot, int columns, bool utf8) {
  constexpr int kShortestBar = 8;
  const std::string elapsed = FormatDuration(snapshot.seconds_elapsed);
  if (snapshot.total_frames == 0) {
    return JoinFitting({{{FormatCount(snapshot.frames)}, {" frames", kDim}},
                        {{"  " + elapsed}, {" elapsed", kDim}}},
                       columns);
  }
  const TextPieces numbers =
      JoinFitting({{{fmt::format("{:>7}", FormatPercent(Fraction(snapshot)))}},
                   {{fmt::format("  {:>5}/{}", FormatCount(snapshot.frames),
                                 FormatCount(snapshot.total_frames))},
                    {" frames", kDim}},
                   {{"  " + elapsed}},
                   {{", ", kDim}, {FormatDuration(snapshot.seconds_left)}, {" left", kDim}}},
                  columns - kShortestBar);
  const int bar = std::max(0, columns - TextColumns(numbers));
  const int done = static_cast<int>(Fraction(snapshot) * bar);
  TextPieces line = {{RepeatText(utf8 ? "━" : "=", done), kGreen},
                     {RepeatText(utf8 ? "─" : "-", bar - done), kDim}};
  line.insert(line.end(), numbers.begin(), numbers.end());
  return line;
}

std::vector<TextItem> TrainingItems(const ProgressSnapshot& snapshot) {
  return {{"frames/s", FormatRate(snapshot.frames_per_second), 14},
          {"return", FormatReturn(snapshot.recent_return), 13, kGreen},
          {"epsilon", FormatDecimal(snapshot.epsilon, 3), 13},
          {"episodes", FormatCount(snapshot.episodes), 14},
          {"replay",
           fmt::format("{}/{}", FormatCount(snapshot.replay_size),
                       FormatCount(snapshot.replay_capacity)),
           18}};
}

TextItem WorkersItem(const ProgressSnapshot& snapshot) {
  const int others = snapshot.actors + snapshot.learners;
  const int workers = snapshot.bundles + others;
  return {others == 0 ? "bundles" : "workers", workers == 0 ? "-" : fmt::format("{}", workers), 9};
}

std::vector<TextItem> UpdateItems(const ProgressSnapshot& snapshot) {
  const std::string_view stale_style = snapshot.stale > 0 ? kYellow : kPlain;
  const std::string_view outlier_style = snapshot.outliers > 0 ? kYellow : kPlain;
  const std::string_view invalid_style = snapshot.invalid > 0 ? kRed : kPlain;
  return {{"updates/s", FormatRate(snapshot.updates_per_second), 14},
          {"accepted", FormatCount(snapshot.accepted), 14},
          {"stale", FormatCount(snapshot.stale), 9, stale_style},
          {"outliers", FormatCount(snapshot.outliers), 12, outlier_style},
          {"invalid", FormatCount(snapshot.invalid), 9, invalid_style},
          WorkersItem(snapshot)};
}

// "bundles 4", "bundles 1, actors 2, learners 1".
std::string DescribeWorkers(const ProgressSnapshot& snapshot) {
  const bool alone = snapshot.actors + snapshot.learners == 0;
  if (alone && snapshot.bundles == 0) return "no worker reports";
  std::string text;
  if (alone || snapshot.bundles > 0) text += fmt::format("bundles {}", snapshot.bundles);
  if (alone) return text;
  return fmt::format("{}{}actors {}, learners {}", text, text.empty() ? "" : ", ", snapshot.actors,
                     snapshot.learners);
}

// "learner 62%": the part, and its share of the bundles' time.
std::string DescribeBottleneck(const ProgressSnapshot& snapshot) {
  if (snapshot.bottleneck.empty()) return "-";
  const double share = *std::max_element(snapshot.work.begin(), snapshot.work.end() - 1);
  return fmt::format("{} {:.0f}%", snapshot.bottleneck, 100 * share);
}

std::vector<TextItem> WatchItems(const ProgressSnapshot& snapshot) {
  return {{"bottleneck", DescribeBottleneck(snapshot), 32},
          {"loss", FormatRate(snapshot.loss), 10},
          {"value", FormatReturn(snapshot.value_mean), 12},
          {"memory", snapshot.resident_bytes > 0 ? FormatCount(snapshot.resident_bytes) + "B" : "-",
           13}};
}

std::vector<std::string> ShortNames(const ProgressSnapshot& snapshot) {
  std::vector<std::string> names;
  for (const GameProgress& game : snapshot.per_game) names.push_back(game.name);
  return ShortGameNames(names);
}

// Each game's return, padded so that a game stands where its name puts it.
std::vector<TextPieces> GameCells(const ProgressSnapshot& snapshot) {
  constexpr int kReturnColumns = 6;
  const std::vector<std::string> names = ShortNames(snapshot);
  std::vector<TextPieces> cells;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string value = FormatReturn(snapshot.per_game[i].recent_return);
    const int padding = std::max(0, kReturnColumns - TextColumns(value));
    cells.push_back({{names[i] + " ", kDim},
                     {value, kGreen},
                     {std::string(static_cast<std::size_t>(padding), ' ')}});
  }
  return cells;
}

// In as many lines as they need, up to kMostGameLines; the last one counts the games that are left
// out.
void AppendGameLines(const ProgressSnapshot& snapshot, int columns, TextLines& lines) {
  constexpr std::size_t kMostGameLines = 4;
  constexpr int kRoomForMore = 12;  // "  +1000 more"
  const std::vector<TextPieces> cells = GameCells(snapshot);
  const std::size_t most = lines.size() + kMostGameLines;
  int used = columns;  // of the last line
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool last_line = lines.size() == most;
    const int reserved = last_line && i + 1 < cells.size() ? kRoomForMore : 0;
    const bool fits = used + 2 + TextColumns(cells[i]) + reserved <= columns;
    if (!fits && last_line) {
      const std::string more = fmt::format("  +{} more", cells.size() - i);
      if (used + TextColumns(more) <= columns) lines.back().push_back({more, kDim});
      return;
    }
    if (fits) {
      lines.back().push_back({"  "});
    } else if (TextColumns(cells[i]) > columns) {
      return;  // and a narrower one after it would stand for it
    } else {
      lines.emplace_back();
    }
    used = (fits ? used + 2 : 0) + TextColumns(cells[i]);
    lines.back().insert(lines.back().end(), cells[i].begin(), cells[i].end());
  }
}

// " (breakout 8.42, asterix 3.10)"; nothing in a run with one game.
std::string DescribeGames(const ProgressSnapshot& snapshot) {
  constexpr std::size_t kMostNamed = 10;
  const std::vector<std::string> names = ShortNames(snapshot);
  if (names.empty()) return "";
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? " (" : ", ", names[i],
                        FormatReturn(snapshot.per_game[i].recent_return));
  }
  if (names.size() > kMostNamed) text += fmt::format(", {} more games", names.size() - kMostNamed);
  return text + ")";
}

// Without what only a wide terminal has.
TextLines ViewLines(const ProgressSnapshot& snapshot, int columns, bool utf8) {
  columns = std::clamp(columns, 0, kWidestView);
  return {BarLine(snapshot, columns, utf8), ItemLine(TrainingItems(snapshot), columns),
          ItemLine(UpdateItems(snapshot), columns), ItemLine(WatchItems(snapshot), columns)};
}

TextLines NarrowLines(const ProgressSnapshot& snapshot, int columns, bool utf8) {
  TextLines lines = ViewLines(snapshot, columns, utf8);
  AppendGameLines(snapshot, std::clamp(columns, 0, kWidestView), lines);
  return lines;
}

TextLines WideLines(const ProgressSnapshot& snapshot, const ProgressHistory& history,
                    const TerminalSize& size, bool utf8) {
  const int columns = std::min(size.columns, kMostColumns);
  TextLines lines = ViewLines(snapshot, columns, utf8);
  lines.front() = BarLine(snapshot, columns, utf8);
  AppendCurveLines(snapshot, history, columns, utf8, lines);
  if (snapshot.per_game.size() > kMostGameCurves) AppendGameLines(snapshot, columns, lines);
  AppendWorkerLines(snapshot, columns, size.rows - 1 - static_cast<int>(lines.size()), lines);
  return lines;
}

}  // namespace

std::string_view Bottleneck(const WorkSeconds& work) {
  constexpr std::array<std::string_view, kWorks - 1> kParts = {"actor", "replay", "learner",
                                                               "parameter server"};
  const auto most = std::max_element(work.begin(), work.begin() + kParts.size());
  return *most > 0 ? kParts[static_cast<std::size_t>(most - work.begin())] : std::string_view();
}

TerminalSize TerminalSizeOf(int descriptor) {
  TerminalSize size;
  winsize answer{};
  if (::ioctl(descriptor, TIOCGWINSZ, &answer) != 0) return size;
  if (answer.ws_col > 0) size.columns = answer.ws_col;
  if (answer.ws_row > 0) size.rows = answer.ws_row;
  return size;
}

ProgressOptions DetectProgressOptions(int descriptor, bool quiet) {
  const char* const term = std::getenv("TERM");
  const char* const no_color = std::getenv("NO_COLOR");
  const bool understands = term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
  const bool terminal = ::isatty(descriptor) == 1 && understands;
  return {.quiet = quiet,
          .terminal = terminal,
          .colour = terminal && (no_color == nullptr || *no_color == '\0'),
          .utf8 = LocaleIsUtf8(),
          .size = [descriptor] { return TerminalSizeOf(descriptor); }};
}

std::vector<std::string> FormatProgressView(const ProgressSnapshot& snapshot, int columns,
                                            bool colour, bool utf8) {
  std::vector<std::string> lines;
  for (const TextPieces& line : NarrowLines(snapshot, columns, utf8)) {
    lines.push_back(RenderLine(line, colour));
  }
  return lines;
}

std::string FormatProgressLine(const ProgressSnapshot& snapshot) {
  std::string line = fmt::format("[{}] frames {}", FormatDuration(snapshot.seconds_elapsed),
                                 FormatCount(snapshot.frames));
  if (snapshot.total_frames > 0) {
    line += fmt::format("/{} ({})", FormatCount(snapshot.total_frames),
                        FormatPercent(Fraction(snapshot)));
  }
  line += fmt::format(
      " {}/s, updates {} {}/s, return {}{}, epsilon {}, episodes {}, stale {}, outliers {}, "
      "invalid {}, {}",
      FormatRate(snapshot.frames_per_second), FormatCount(snapshot.updates),
      FormatRate(snapshot.updates_per_second), FormatReturn(snapshot.recent_return),
      DescribeGames(snapshot), FormatDecimal(snapshot.epsilon, 3), FormatCount(snapshot.episodes),
      FormatCount(snapshot.stale), FormatCount(snapshot.outliers), FormatCount(snapshot.invalid),
      DescribeWorkers(snapshot));
  if (!snapshot.bottleneck.empty()) {
    line += fmt::format(", bottleneck {}", DescribeBottleneck(snapshot));
  }
  if (std::isfinite(snapshot.seconds_left)) {
    line += fmt::format(", {} left", FormatDuration(snapshot.seconds_left));
  }
  return line;
}

ProgressView::ProgressView(std::ostream& out, const ProgressOptions& options)
    : out_(out), options_(options), history_(std::make_unique<ProgressHistory>()) {}

ProgressView::~ProgressView() = default;

void ProgressView::BeginWith(ProgressHistory history) {
  const MutexLock lock(mutex_);
  *history_ = std::move(history);
}

void ProgressView::AddEvaluation(std::uint64_t frames, double mean) {
  const MutexLock lock(mutex_);
  history_->AddEvaluation({static_cast<double>(frames), mean});
}

// The cursor rests in the line below the view, at its beginning unless the terminal has echoed a
// key there. A terminal that has become narrower has folded the lines; one that cuts them off
// instead loses as many lines above the view.
std::string ProgressView::MoveToTop(const TerminalSize& size) const {
  const int columns = std::max(1, size.columns);
  int rows = 0;
  for (const int width : widths_) rows += std::max(1, (width + columns - 1) / columns);
  if (rows == 0) return "";
  return fmt::format("\r\x1b[{}A{}", rows, size == drawn_ ? "" : "\x1b[J");
}

// Written over, with the rest of each line cleared after its text, so that nothing flickers. A full
// line has no rest: clearing there would take its last character away. A low terminal gets the
// first lines alone, for what has scrolled out of it cannot be drawn over.
std::string ProgressView::DrawView(const TerminalSize& size) {
  widths_.clear();
  drawn_ = size;
  if (!snapshot_.has_value()) return "";
  TextLines lines = size.columns < kWideColumns
                        ? NarrowLines(*snapshot_, size.columns, options_.utf8)
                        : WideLines(*snapshot_, *history_, size, options_.utf8);
  lines.resize(std::min(lines.size(), static_cast<std::size_t>(std::max(1, size.rows - 1))));
  std::string text;
  for (const TextPieces& line : lines) {
    widths_.push_back(TextColumns(line));
    text += RenderLine(line, options_.colour);
    if (widths_.back() < size.columns) text += "\x1b[K";
    text += "\n";
  }
  return text + "\x1b[J";  // what a longer view left, and echoed keys
}

void ProgressView::Show(const ProgressSnapshot& snapshot) {
  if (options_.quiet) return;
  const MutexLock lock(mutex_);
  if (!options_.terminal) {
    out_ << FormatProgressLine(snapshot) + "\n" << std::flush;
    return;
  }
  const TerminalSize size = options_.size();
  snapshot_ = snapshot;
  history_->Add(snapshot);
  const std::string top = MoveToTop(size);
  out_ << top + DrawView(size) << std::flush;
}

void ProgressView::Print(std::string_view message) {
  if (options_.quiet) return;
  const MutexLock lock(mutex_);
  if (!options_.terminal) {
    out_ << fmt::format("{}\n", message) << std::flush;
    return;
  }
  const TerminalSize size = options_.size();
  const std::string top = MoveToTop(size) + (widths_.empty() ? "" : "\x1b[J");
  out_ << fmt::format("{}{}\n{}", top, message, DrawView(size)) << std::flush;
}

}  // namespace gorila
