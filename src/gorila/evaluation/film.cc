#include "gorila/evaluation/film.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "gorila/env/picture.h"
#include "gorila/metrics/canvas.h"
#include "gorila/metrics/png_image.h"

namespace gorila {
namespace {

constexpr int kRowHeight = 14;
constexpr int kTop = 22;  // of the first row
constexpr int kBarLeft = 84;
constexpr int kBarRight = 148;
constexpr int kNumberRight = 196;
constexpr int kGlyphWidth = 7;
constexpr int kGlyphHeight = 12;
constexpr std::string_view kNumberCharacters = "0123456789.-";

constexpr drawing::Colour kBackground = {drawing::FixedInk(0x1b1f2a)};  // colour::kBackground
constexpr drawing::TextStyle kLabel = {.size = 10, .colour = {drawing::FixedInk(0xf5f5f0)}};
constexpr drawing::TextStyle kTitle = {
    .size = 11, .colour = {drawing::FixedInk(0xf5f5f0)}, .bold = true};
constexpr drawing::TextStyle kDigit = {
    .size = 10, .colour = {drawing::FixedInk(0xf5f5f0)}, .anchor = 0.5};

StatusOr<RgbImage> Drawn(int width, int height, const std::function<void(drawing::Canvas&)>& draw) {
  GORILA_ASSIGN_OR_RETURN(
      const std::string png, drawing::DrawPng(width, height, 1, [&](drawing::Canvas& canvas) {
        canvas.FillBox({0, 0, static_cast<double>(width), static_cast<double>(height)},
                       kBackground);
        draw(canvas);
      }));
  return DecodePng(png);
}

StatusOr<RgbImage> DrawLabels(std::span<const std::string> names, ActionBars bars) {
  const int height = kTop + kRowHeight * static_cast<int>(names.size()) + 4;
  return Drawn(ActionPanel::kWidth, height, [&](drawing::Canvas& canvas) {
    canvas.DrawText(TitleOf(bars), {8, 14}, kTitle);
    double y = kTop + 10;
    for (const std::string& name : names) {
      canvas.DrawText(canvas.Ellipsise(name, kLabel, kBarLeft - 12), {8, y}, kLabel);
      y += kRowHeight;
    }
  });
}

// Copies `part` to (left, top) of `image`; what lies outside is left out.
void Copy(const RgbImage& part, int left, int top, RgbImage& image) {
  const int columns = std::min(part.width, image.width - left);
  const int rows = std::min(part.height, image.height - top);
  if (columns <= 0) return;
  for (int y = 0; y < rows; ++y) {
    const auto from = part.pixels.begin() + std::ptrdiff_t{3} * y * part.width;
    std::copy(from, from + std::ptrdiff_t{3} * columns,
              image.pixels.begin() + 3 * (std::ptrdiff_t{1} * (top + y) * image.width + left));
  }
}

}  // namespace

StatusOr<ActionPanel> ActionPanel::Make(std::span<const std::string> action_names,
                                        ActionBars bars) {
  ActionPanel panel(bars);
  panel.actions_ = static_cast<int>(action_names.size());
  GORILA_ASSIGN_OR_RETURN(panel.labels_, DrawLabels(action_names, bars));
  for (const char character : kNumberCharacters) {
    GORILA_ASSIGN_OR_RETURN(
        panel.glyphs_[character], Drawn(kGlyphWidth, kGlyphHeight, [&](drawing::Canvas& canvas) {
          canvas.DrawText(std::string(1, character), {kGlyphWidth / 2.0, 10}, kDigit);
        }));
  }
  return panel;
}

int ActionPanel::height() const { return labels_.height; }

RgbImage ActionPanel::Frame(const RgbImage& game, std::span<const float> values, int chosen) {
  GORILA_CHECK(static_cast<int>(values.size()) == actions_, "{} values of {}", values.size(),
               actions_);
  for (const float value : values) scale_.Include(value);
  RgbImage frame;
  ClearImage(frame, game.width + kWidth, std::max(game.height, height()), colour::kBackground);
  Copy(game, 0, 0, frame);
  Copy(labels_, game.width, 0, frame);
  const auto column = [&](double value) {
    return game.width + kBarLeft + scale_.Place(value, kBarRight - kBarLeft);
  };
  for (int i = 0; i < actions_; ++i) {
    const double value = values[static_cast<std::size_t>(i)];
    const int top = kTop + i * kRowHeight;
    const int zero = column(0);
    // At least a pixel, so that zero is seen as a value.
    FillRectangle(frame, std::min(zero, column(value)), top + 2,
                  std::max({zero, column(value), std::min(zero, column(value)) + 1}),
                  top + kRowHeight - 3, i == chosen ? colour::kOrange : colour::kBlue);
    DrawNumber(frame, value, game.width + kNumberRight, top);
  }
  return frame;
}

void ActionPanel::DrawNumber(RgbImage& frame, double value, int right, int top) const {
  const std::string text = fmt::format("{:.2f}", std::clamp(value, -999.99, 9999.99));
  int left = right - kGlyphWidth * static_cast<int>(text.size());
  for (const char character : text) {
    const auto glyph = glyphs_.find(character);
    if (glyph != glyphs_.end()) Copy(glyph->second, left, top, frame);
    left += kGlyphWidth;
  }
}

}  // namespace gorila
