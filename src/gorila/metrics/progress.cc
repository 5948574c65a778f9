#include "gorila/metrics/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

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

// The beginning of `text` that is at most `columns` wide.
std::string_view Clip(std::string_view text, int columns) {
  std::size_t end = 0;
  while (end < text.size() && (columns > 0 || IsContinuationByte(text[end]))) {
    if (!IsContinuationByte(text[end])) --columns;
    ++end;
  }
  // The loop stops before the first byte of a code point that does not fit.
  return text.substr(0, end);
}

std::string JoinClipped(const std::vector<Piece>& pieces, int columns, bool colour) {
  std::string line;
  for (const Piece& piece : pieces) {
    const std::string_view text = Clip(piece.text, columns);
    columns -= Columns(text);
    if (text.empty()) continue;
    if (colour && !piece.style.empty()) {
      line += fmt::format("\x1b[{}m{}\x1b[0m", piece.style, text);
    } else {
      line += text;
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

std::vector<Piece> BarLine(const ProgressSnapshot& snapshot, int columns) {
  const std::string elapsed = FormatDuration(snapshot.seconds_elapsed);
  if (snapshot.total_frames == 0) {
    return {{FormatCount(snapshot.frames)}, {" frames  ", kDim}, {elapsed}, {" elapsed", kDim}};
  }
  const std::string percent = fmt::format("{:>7}", FormatPercent(Fraction(snapshot)));
  const std::string frames =
      fmt::format("  {:>5}/{}", FormatCount(snapshot.frames), FormatCount(snapshot.total_frames));
  const std::string left = FormatDuration(snapshot.seconds_left);
  const std::vector<Piece> numbers = {{percent},    {frames}, {" frames  ", kDim}, {elapsed},
                                      {", ", kDim}, {left},   {" left", kDim}};
  int bar = columns;
  for (const Piece& piece : numbers) bar -= Columns(piece.text);
  bar = std::max(bar, 8);  // in a narrow terminal the numbers are cut off instead
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

std::vector<Piece> ItemLine(const std::vector<Item>& items) {
  std::vector<Piece> line;
  int padding = 0;  // between the item before and this one
  for (const Item& item : items) {
    line.push_back({std::string(static_cast<std::size_t>(padding), ' ')});
    line.push_back({fmt::format("{} ", item.name), kDim});
    line.push_back({item.value, item.style});
    const int used = Columns(item.name) + 1 + Columns(item.value);
    padding = std::max(0, item.columns - used) + 2;
  }
  return line;
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

int TerminalColumns(int descriptor) {
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kWidestView;
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
          .columns = TerminalColumns(descriptor)};
}

std::vector<std::string> FormatProgressView(const ProgressSnapshot& snapshot, int columns,
                                            bool colour) {
  columns = std::clamp(columns, 0, kWidestView);
  return {JoinClipped(BarLine(snapshot, columns), columns, colour),
          JoinClipped(ItemLine(TrainingItems(snapshot)), columns, colour),
          JoinClipped(ItemLine(UpdateItems(snapshot)), columns, colour),
          JoinClipped(ItemLine(WatchItems(snapshot)), columns, colour)};
}

std::string FormatProgressLine(const ProgressSnapshot& snapshot) {
  std::string line = fmt::format("[{}] frames {}", FormatDuration(snapshot.seconds_elapsed),
                                 FormatCount(snapshot.frames));
  if (snapshot.total_frames > 0) {
    line += fmt::format("/{} ({})", FormatCount(snapshot.total_frames),
                        FormatPercent(Fraction(snapshot)));
  }
  line += fmt::format(
      " {}/s, updates {} {}/s, return {}, epsilon {}, episodes {}, stale {}, outliers {}, "
      "invalid {}, {}",
      FormatRate(snapshot.frames_per_second), FormatCount(snapshot.updates),
      FormatRate(snapshot.updates_per_second), FormatReturn(snapshot.recent_return),
      FormatDecimal(snapshot.epsilon, 3), FormatCount(snapshot.episodes),
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

// The cursor rests at the beginning of the line below the view.
std::string ProgressView::EraseView() const {
  return shown_.empty() ? "" : fmt::format("\x1b[{}A\x1b[J", shown_.size());
}

// Lines are cleared before they are written: clearing to the end after a full one would take its
// last character away.
std::string ProgressView::DrawView() const {
  std::string text;
  for (const std::string& line : shown_) text += "\x1b[2K" + line + "\n";
  return text;
}

void ProgressView::Show(const ProgressSnapshot& snapshot) {
  if (options_.quiet) return;
  const MutexLock lock(mutex_);
  if (!options_.terminal) {
    out_ << FormatProgressLine(snapshot) + "\n" << std::flush;
    return;
  }
  // Overwritten, not erased first: the view does not flicker.
  std::string text = shown_.empty() ? "" : fmt::format("\x1b[{}A", shown_.size());
  shown_ = FormatProgressView(snapshot, options_.columns, options_.colour);
  out_ << text + DrawView() << std::flush;
}

void ProgressView::Print(std::string_view message) {
  if (options_.quiet) return;
  const MutexLock lock(mutex_);
  out_ << fmt::format("{}{}\n{}", EraseView(), message, DrawView()) << std::flush;
}

}  // namespace gorila
