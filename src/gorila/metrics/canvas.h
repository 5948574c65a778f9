// The few drawing operations that figures need, over cairo. For metrics and scores. Coordinates are
// pixels, y grows downward.
#ifndef GORILA_METRICS_CANVAS_H_
#define GORILA_METRICS_CANVAS_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/metrics/label_placement.h"

struct _cairo;  // cairo_t  NOLINT(bugprone-reserved-identifier)

namespace gorila::drawing {

struct Colour {
  std::uint32_t rgb = 0;  // 0xRRGGBB
  double opacity = 1;
};

struct Stroke {
  Colour colour;
  double width = 1;
  bool dashed = false;
};

struct TextStyle {
  double size = 12;
  Colour colour;
  bool bold = false;
  double anchor = 0;  // which part of the text is at the point: 0 left end, 0.5 middle, 1 right end
  bool upwards = false;  // reads from bottom to top
};

class Canvas {
 public:
  explicit Canvas(_cairo* context) : context_(context) {}

  void FillBox(const Box& box, Colour colour);
  void FillPolygon(std::span<const Point> corners, Colour colour);
  void FillCircle(Point centre, double radius, Colour colour);
  void DrawLine(std::span<const Point> points, const Stroke& stroke);
  void DrawText(const std::string& text, Point baseline, const TextStyle& style);

  // Calls `draw` with `corner` as its (0, 0).
  void DrawAt(Point corner, const std::function<void(Canvas&)>& draw);

  double TextWidth(const std::string& text, const TextStyle& style);
  // `text`, or its beginning and "..." as one character so that it is at most `width` wide.
  std::string Ellipsise(const std::string& text, const TextStyle& style, double width);

 private:
  void SetColour(Colour colour);
  void SetFont(const TextStyle& style);
  _cairo* context_;
};

// Runs `draw` on a canvas of `width` x `height` and gives the bytes of the picture. InvalidArgument
// when it drew text that is not UTF-8, Unavailable for other failures of cairo (memory).
StatusOr<std::string> DrawPng(int width, int height, int scale,
                              const std::function<void(Canvas&)>& draw);
StatusOr<std::string> DrawSvg(int width, int height, const std::function<void(Canvas&)>& draw);

}  // namespace gorila::drawing

#endif  // GORILA_METRICS_CANVAS_H_
