#include "gorila/metrics/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "gorila/metrics/game_names.h"
#include "gorila/metrics/number_format.h"

namespace gorila {
namespace {

constexpr int kWidestView = 80;

// Select Graphic Rendition codes.
constexpr std::string_view kPlain;
constexpr std::string_view kDim = "2";
constexpr std::string_view kGreen = "32";
constexpr std::string_view kYellow = "33";
constexpr std::string_view kRed = "31";

struct Piece {
  std::string text;  // UTF-8, one column a code point
  std::string_view style = kPlain;
};

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

int Columns(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuationByte(c); }));
}

std::string Render(const std::vector<Piece>& pieces, bool colour) {
  std::string line;
  for (const Piece& piece : pieces) {
    if (piece.text.empty()) continue;
    if (colour && !piece.style.empty()) {
      line += fmt::format("\x1b[{}m{}\x1b[0m", piece.style, piece.text);
    } else {
      line += piece.text;
    }
  }
  return line;
}

double Fraction(const ProgressSnapshot& snapshot) {
  if (snapshot.total_frames == 0) return 0;
  return std::min(
      1.0, static_cast<double>(snapshot.frames) / static_cast<double>(snapshot.total_frames));
}

std::string Repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

// Rounded down: a run that is not finished never shows 100 %.
std::string FormatPercent(double fraction) {
  return fmt::format("{:.1f}%", std::floor(fraction * 1000) / 10);
}

using Lines = std::vector<std::vector<Piece>>;
using Group = std::vector<Piece>;  // shown whole or not at all

int Columns(const Group& group) {
  int columns = 0;
  for (const Piece& piece : group) columns += Columns(piece.text);
  return columns;
}

// Those that fit into `columns`, up to the first that does not.
std::vector<Piece> JoinFitting(const std::vector<Group>& groups, int columns) {
  std::vector<Piece> line;
  for (const Group& group : groups) {
    columns -= Columns(group);
    if (columns < 0) break;
    line.insert(line.end(), group.begin(), group.end());
  }
  return line;
}

std::vector<Piece> BarLine(const ProgressSnapshot& snapshot, int columns) {
  constexpr int kShortestBar = 8;
  const std::string elapsed = FormatDuration(snapshot.seconds_elapsed);
  if (snapshot.total_frames == 0) {
    return JoinFitting({{{FormatCount(snapshot.frames)}, {" frames", kDim}},
                        {{"  " + elapsed}, {" elapsed", kDim}}},
                       columns);
  }
  const std::vector<Piece> numbers =
      JoinFitting({{{fmt::format("{:>7}", FormatPercent(Fraction(snapshot)))}},
                   {{fmt::format("  {:>5}/{}", FormatCount(snapshot.frames),
                                 FormatCount(snapshot.total_frames))},
                    {" frames", kDim}},
                   {{"  " + elapsed}},
                   {{", ", kDim}, {FormatDuration(snapshot.seconds_left)}, {" left", kDim}}},
                  columns - kShortestBar);
  const int bar = std::max(0, columns - Columns(numbers));
  const int done = static_cast<int>(Fraction(snapshot) * bar);
  std::vector<Piece> line = {{Repeat("━", done), kGreen}, {Repeat("─", bar - done), kDim}};
  line.insert(line.end(), numbers.begin(), numbers.end());
  return line;
}

struct Item {
  std::string_view name;
  std::string value;
  int columns;  // the item is padded to it, so that its neighbours stand still
  std::string_view style = kPlain;
};

std::vector<Piece> ItemLine(const std::vector<Item>& items, int columns) {
  std::vector<Group> groups;
  int padding = 0;  // between the item before and this one
  for (const Item& item : items) {
    groups.push_back({{std::string(static_cast<std::size_t>(padding), ' ')},
                      {fmt::format("{} ", item.name), kDim},
                      {item.value, item.style}});
    const int used = Columns(item.name) + 1 + Columns(item.value);
    padding = std::max(0, item.columns - used) + 2;
  }
  return JoinFitting(groups, columns);
}

std::vector<Item> TrainingItems(const ProgressSnapshot& snapshot) {
  return {{"frames/s", FormatRate(snapshot.frames_per_second), 14},
          {"return", FormatReturn(snapshot.recent_return), 13, kGreen},
          {"epsilon", FormatDecimal(snapshot.epsilon, 3), 13},
          {"episodes", FormatCount(snapshot.episodes), 14},
          {"replay",
           fmt::format("{}/{}", FormatCount(snapshot.replay_size),
                       FormatCount(snapshot.replay_capacity)),
           18}};
}

Item WorkersItem(const ProgressSnapshot& snapshot) {
  const int others = snapshot.actors + snapshot.learners;
  const int workers = snapshot.bundles + others;
  return {others == 0 ? "bundles" : "workers", workers == 0 ? "-" : fmt::format("{}", workers), 9};
}

std::vector<Item> UpdateItems(const ProgressSnapshot& snapshot) {
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

std::vector<Item> WatchItems(const ProgressSnapshot& snapshot) {
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
std::vector<Group> GameCells(const ProgressSnapshot& snapshot) {
  constexpr int kReturnColumns = 6;
  const std::vector<std::string> names = ShortNames(snapshot);
  std::vector<Group> cells;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string value = FormatReturn(snapshot.per_game[i].recent_return);
    const int padding = std::max(0, kReturnColumns - Columns(value));
    cells.push_back({{names[i] + " ", kDim},
                     {value, kGreen},
                     {std::string(static_cast<std::size_t>(padding), ' ')}});
  }
  return cells;
}

// In as many lines as they need, up to kMostGameLines; the last one counts the games that are left
// out.
void AppendGameLines(const ProgressSnapshot& snapshot, int columns, Lines& lines) {
  constexpr std::size_t kMostGameLines = 4;
  constexpr int kRoomForMore = 12;  // "  +1000 more"
  const std::vector<Group> cells = GameCells(snapshot);
  const std::size_t most = lines.size() + kMostGameLines;
  int used = columns;  // of the last line
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool last_line = lines.size() == most;
    const int reserved = last_line && i + 1 < cells.size() ? kRoomForMore : 0;
    const bool fits = used + 2 + Columns(cells[i]) + reserved <= columns;
    if (!fits && last_line) {
      const std::string more = fmt::format("  +{} more", cells.size() - i);
      if (used + Columns(more) <= columns) lines.back().push_back({more, kDim});
      return;
    }
    if (fits) {
      lines.back().push_back({"  "});
    } else if (Columns(cells[i]) > columns) {
      return;  // and a narrower one after it would stand for it
    } else {
      lines.emplace_back();
    }
    used = (fits ? used + 2 : 0) + Columns(cells[i]);
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

TerminalSize SizeOf(int descriptor) {
  TerminalSize size;
  winsize answer{};
  if (::ioctl(descriptor, TIOCGWINSZ, &answer) != 0) return size;
  if (answer.ws_col > 0) size.columns = answer.ws_col;
  if (answer.ws_row > 0) size.rows = answer.ws_row;
  return size;
}

Lines ViewLines(const ProgressSnapshot& snapshot, int columns) {
  columns = std::clamp(columns, 0, kWidestView);
  Lines lines = {BarLine(snapshot, columns), ItemLine(TrainingItems(snapshot), columns),
                 ItemLine(UpdateItems(snapshot), columns), ItemLine(WatchItems(snapshot), columns)};
  AppendGameLines(snapshot, columns, lines);
  return lines;
}

}  // namespace

std::string_view Bottleneck(const WorkSeconds& work) {
  constexpr std::array<std::string_view, kWorks - 1> kParts = {"actor", "replay", "learner",
                                                               "parameter server"};
  const auto most = std::max_element(work.begin(), work.begin() + kParts.size());
  return *most > 0 ? kParts[static_cast<std::size_t>(most - work.begin())] : std::string_view();
}

ProgressOptions DetectProgressOptions(int descriptor, bool quiet) {
  const char* const term = std::getenv("TERM");
  const char* const no_color = std::getenv("NO_COLOR");
  const bool understands = term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
  const bool terminal = ::isatty(descriptor) == 1 && understands;
  return {.quiet = quiet,
          .terminal = terminal,
          .colour = terminal && (no_color == nullptr || *no_color == '\0'),
          .size = [descriptor] { return SizeOf(descriptor); }};
}

std::vector<std::string> FormatProgressView(const ProgressSnapshot& snapshot, int columns,
                                            bool colour) {
  std::vector<std::string> lines;
  for (const std::vector<Piece>& line : ViewLines(snapshot, columns)) {
    lines.push_back(Render(line, colour));
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

// The cursor rests at the beginning of the line below the view. A terminal that has become narrower
// has folded the lines; one that cuts them off instead loses as many lines above the view.
std::string ProgressView::MoveToTop(const TerminalSize& size) const {
  const int columns = std::max(1, size.columns);
  int rows = 0;
  for (const int width : widths_) rows += std::max(1, (width + columns - 1) / columns);
  if (rows == 0) return "";
  return fmt::format("\x1b[{}A{}", rows, size == drawn_ ? "" : "\x1b[J");
}

// Lines are cleared before they are written: clearing to the end after a full one would take its
// last character away. A low terminal gets the first lines alone, for what has scrolled out of it
// cannot be drawn over.
std::string ProgressView::DrawView(const TerminalSize& size) {
  widths_.clear();
  drawn_ = size;
  if (!snapshot_.has_value()) return "";
  Lines lines = ViewLines(*snapshot_, size.columns);
  lines.resize(std::min(lines.size(), static_cast<std::size_t>(std::max(1, size.rows - 1))));
  std::string text;
  for (const std::vector<Piece>& line : lines) {
    widths_.push_back(Columns(line));
    text += "\x1b[2K" + Render(line, options_.colour) + "\n";
  }
  return text;
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
  // Overwritten, not erased first: the view does not flicker.
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
