#include "gorila/env/external/observation_picture.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "gorila/env/picture.h"

namespace gorila {
namespace {

constexpr int kSide = 160;
constexpr int kMostBars = 640;

std::vector<float> Values(const ObservationSpec& spec, std::span<const std::byte> observation) {
  std::vector<float> values(spec.frame_elements());
  if (spec.element == ElementType::kFloat32) {
    std::memcpy(values.data(), observation.data(), values.size() * sizeof(float));
  } else {
    std::transform(observation.begin(), observation.end(), values.begin(),
                   [](std::byte one) { return static_cast<float>(std::to_integer<int>(one)); });
  }
  return values;
}

// Each way from the middle.
constexpr float kLongestBar = (kSide - 8) / 2.0F;

void DrawBars(const std::vector<float>& values, RgbImage& image) {
  const int count = std::min(static_cast<int>(values.size()), kMostBars);
  const int width = std::max(1, kSide / count);
  ClearImage(image, std::max(kSide, width * count), kSide, colour::kBackground);
  float largest = 1e-6F;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  for (int i = 0; i < count; ++i) {
    // With more values than bars, a bar shows the largest of its share.
    const auto at = [&](int bar) {
      return values.begin() +
             static_cast<std::ptrdiff_t>(values.size() * static_cast<std::size_t>(bar) /
                                         static_cast<std::size_t>(count));
    };
    const float value = *std::max_element(
        at(i), at(i + 1), [](float a, float b) { return std::abs(a) < std::abs(b); });
    const float share = value / largest;
    const int height = static_cast<int>(std::lround(share * kLongestBar));
    const int top = kSide / 2 - std::max(height, 0);
    FillRectangle(image, i * width, top, (i + 1) * width - (width > 2 ? 1 : 0),
                  std::max(kSide / 2 - std::min(height, 0), top + 1), colour::kWhite);
  }
}

std::uint8_t Level(float value, float low, float high) {
  const float share = high > low ? (value - low) / (high - low) : 0;
  return static_cast<std::uint8_t>(std::lround(255 * std::clamp(share, 0.0F, 1.0F)));
}

}  // namespace

void DrawObservation(const ObservationSpec& spec, std::span<const std::byte> observation,
                     RgbImage& image) {
  const std::vector<float> values = Values(spec, observation);
  if (spec.height == 1 && spec.width == 1) return DrawBars(values, image);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const bool levels = spec.element == ElementType::kUint8 && spec.scale != 1;
  const float low = levels ? 0 : std::min(*least, 0.0F);
  const float high = levels ? 255 : std::max(*most, 1.0F);
  const int cell = std::max(1, kSide / std::max(spec.height, spec.width));
  ClearImage(image, spec.width * cell, spec.height * cell, colour::kBackground);
  const auto plane = static_cast<std::size_t>(spec.height * spec.width);
  for (int row = 0; row < spec.height; ++row) {
    for (int column = 0; column < spec.width; ++column) {
      const auto at = static_cast<std::size_t>(row * spec.width + column);
      Rgb shown{};
      if (spec.channels == 3) {
        shown = {.red = Level(values[at], low, high),
                 .green = Level(values[plane + at], low, high),
                 .blue = Level(values[2 * plane + at], low, high)};
      } else {
        float sum = 0;
        for (int c = 0; c < spec.channels; ++c)
          sum += values[static_cast<std::size_t>(c) * plane + at];
        const std::uint8_t grey = Level(sum / static_cast<float>(spec.channels), low, high);
        shown = {.red = grey, .green = grey, .blue = grey};
      }
      FillRectangle(image, column * cell, row * cell, (column + 1) * cell, (row + 1) * cell, shown);
    }
  }
}

}  // namespace gorila
