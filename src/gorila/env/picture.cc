#include "gorila/env/picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace gorila {
namespace {

void SetPixel(RgbImage& image, int x, int y, Rgb colour) {
  std::uint8_t* const pixel =
      image.pixels.data() +
      3 * (static_cast<std::ptrdiff_t>(y) * image.width + static_cast<std::ptrdiff_t>(x));
  pixel[0] = colour.red;
  pixel[1] = colour.green;
  pixel[2] = colour.blue;
}

}  // namespace

void ClearImage(RgbImage& image, int width, int height, Rgb colour) {
  image.width = width;
  image.height = height;
  image.pixels.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  FillRectangle(image, 0, 0, width, height, colour);
}

void FillRectangle(RgbImage& image, int left, int top, int right, int bottom, Rgb colour) {
  for (int y = std::max(top, 0); y < std::min(bottom, image.height); ++y) {
    for (int x = std::max(left, 0); x < std::min(right, image.width); ++x) {
      SetPixel(image, x, y, colour);
    }
  }
}

void DrawLine(RgbImage& image, double x0, double y0, double x1, double y1, double thickness,
              Rgb colour) {
  const double dx = x1 - x0;
  const double dy = y1 - y0;
  const double length_squared = std::max(dx * dx + dy * dy, 1e-9);
  // Only the line's neighbourhood is looked at; clamped first, as far-off lines exceed an int.
  const auto bound = [thickness](double position, int size) {
    return static_cast<int>(std::clamp(position, -thickness, size + thickness));
  };
  const int left = std::max(bound(std::min(x0, x1) - thickness, image.width), 0);
  const int right = std::min(bound(std::max(x0, x1) + thickness, image.width), image.width - 1);
  const int top = std::max(bound(std::min(y0, y1) - thickness, image.height), 0);
  const int bottom = std::min(bound(std::max(y0, y1) + thickness, image.height), image.height - 1);
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const double along = std::clamp(((x - x0) * dx + (y - y0) * dy) / length_squared, 0.0, 1.0);
      const double distance = std::hypot(x - (x0 + along * dx), y - (y0 + along * dy));
      if (distance <= thickness / 2) SetPixel(image, x, y, colour);
    }
  }
}

}  // namespace gorila
