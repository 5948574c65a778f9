#include "gorila/metrics/legend.h"

#include <algorithm>
#include <array>
#include <span>

namespace gorila::drawing {
namespace {

constexpr TextStyle kLegendText = {.size = 11.5};
constexpr TextStyle kLeftOut = {.size = 11.5, .anchor = 0.5};
constexpr Colour kLegendGround = {kGroundInk, 0.85};
constexpr Stroke kBorder = {.colour = {kGridInk}, .width = 1};
constexpr double kLineLength = 22;
constexpr double kKeyWidth = kLineLength + 8;
constexpr double kInset = 8;      // between the border and the entries
constexpr double kEntryGap = 20;  // between entries of a row

}  // namespace

// The width of an entry whose label is cut to `most`.
double Legend::Measure(Canvas& canvas, Entry& entry, double most) const {
  entry.shown = canvas.Ellipsise(entry.label, kLegendText, most);
  return kKeyWidth + canvas.TextWidth(entry.shown, kLegendText);
}

void Legend::LayOutAsColumn(Canvas& canvas, double most) {
  width_ = 0;
  height_ = kInset / 2;
  for (Entry& entry : entries_) {
    width_ = std::max(width_, Measure(canvas, entry, most) + 2 * kInset);
    entry.position = {kInset, height_ + kRowHeight / 2};
    height_ += kRowHeight;
  }
  height_ += kInset / 2;
  shown_ = entries_.size();
}

void Legend::LayOutAsRows(Canvas& canvas, double width, int most_rows) {
  width_ = width;
  height_ = 0;
  for (std::size_t begin = 0; begin < entries_.size();) {
    double row = 0;
    std::size_t end = begin;
    while (end < entries_.size()) {
      const double gap = end == begin ? 0 : kEntryGap;
      const double entry = Measure(canvas, entries_[end], width - kKeyWidth);
      if (end > begin && row + gap + entry > width) break;
      entries_[end].position = {row + gap, height_ + kRowHeight / 2};
      row += gap + entry;
      ++end;
    }
    for (; begin < end; ++begin) entries_[begin].position.x += (width - row) / 2;
    height_ += kRowHeight;
  }
  shown_ = entries_.size();
  if (height_ > most_rows * kRowHeight) LeaveOutBelow(most_rows);
}

void Legend::LeaveOutBelow(int rows) {
  height_ = rows * kRowHeight;
  const double last_row = height_ - kRowHeight;
  while (shown_ > 0 && entries_[shown_ - 1].position.y > last_row) --shown_;
}

void Legend::PaintFramed(Canvas& canvas, Point top_left) const {
  const auto [left, top] = top_left;
  canvas.FillBox({left, top, width_, height_}, kLegendGround);
  const double right = left + width_, bottom = top + height_;
  const std::array<Point, 5> border = {
      {{left, top}, {right, top}, {right, bottom}, {left, bottom}, {left, top}}};
  canvas.DrawLine(border, kBorder);
  Paint(canvas, top_left);
}

bool Legend::is_cut() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.shown != entry.label; });
}

void Legend::PaintSample(Canvas& canvas, const Entry& entry, Point left) {
  const auto [x, y] = left;
  if (!entry.dot) {
    canvas.DrawLine(std::array<Point, 2>{{{x, y}, {x + kLineLength, y}}}, entry.stroke);
    return;
  }
  const double middle = x + kLineLength / 2;
  const Stroke bar = {.colour = entry.stroke.colour, .width = 1.25};
  canvas.FillCircle({middle, y}, 3, entry.stroke.colour);
  canvas.DrawLine(std::array<Point, 2>{{{middle, y - 6}, {middle, y + 6}}}, bar);
}

void Legend::Paint(Canvas& canvas, Point top_left) const {
  for (const Entry& entry : std::span(entries_).first(shown_)) {
    const double x = top_left.x + entry.position.x, y = top_left.y + entry.position.y;
    PaintSample(canvas, entry, {x, y});
    canvas.DrawText(entry.shown, {x + kKeyWidth, y + 4}, kLegendText);
  }
  const std::size_t left_out = entries_.size() - shown_;
  if (left_out == 0) return;
  canvas.DrawText(fmt::format("and {} more", left_out),
                  {top_left.x + width_ / 2, top_left.y + height_ - kRowHeight / 2 + 4}, kLeftOut);
}

}  // namespace gorila::drawing
