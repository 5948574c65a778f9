// The few drawing operations that figures need. For metrics and scores. Coordinates are pixels, y
// grows downward.
#ifndef GORILA_METRICS_CANVAS_H_
#define GORILA_METRICS_CANVAS_H_

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/metrics/chart_palette.h"
#include "gorila/metrics/label_placement.h"

struct _cairo_surface;  // cairo_surface_t  NOLINT(bugprone-reserved-identifier)
struct _cairo;          // cairo_t  NOLINT(bugprone-reserved-identifier)

namespace gorila::drawing {

struct Colour {
  Ink ink = kTextInk;
  double opacity = 1;
};

struct Stroke {
  Colour colour = {};
  double width = 1;
  bool dashed = false;
};

struct TextStyle {
  double size = 12;
  Colour colour = {};
  bool bold = false;
  double anchor = 0;  // which part of the text is at the point: 0 left end, 0.5 middle, 1 right end
  bool upwards = false;  // reads from bottom to top
};

// How wide texts are, by cairo's measure of DejaVu Sans. One thread.
class TextMeasure {
 public:
  TextMeasure();
  ~TextMeasure();
  TextMeasure(const TextMeasure&) = delete;
  TextMeasure& operator=(const TextMeasure&) = delete;

  double Width(const std::string& text, const TextStyle& style);
  // InvalidArgument once a text was not UTF-8.
  Status status() const;

 private:
  _cairo_surface* const surface_;
  _cairo* const context_;
};

class Canvas {
 public:
  virtual ~Canvas() = default;

  virtual void FillBox(const Box& box, Colour colour) = 0;
  virtual void FillPolygon(std::span<const Point> corners, Colour colour) = 0;
  virtual void FillCircle(Point centre, double radius, Colour colour) = 0;
  virtual void DrawLine(std::span<const Point> points, const Stroke& stroke) = 0;
  virtual void DrawText(const std::string& text, Point baseline, const TextStyle& style) = 0;

  // Calls `draw` with `corner` as its (0, 0).
  virtual void DrawAt(Point corner, const std::function<void(Canvas&)>& draw) = 0;

  double TextWidth(const std::string& text, const TextStyle& style) {
    return measure_.Width(text, style);
  }
  // `text`, or its beginning and "..." as one character so that it is at most `width` wide.
  std::string Ellipsise(const std::string& text, const TextStyle& style, double width);

 protected:
  TextMeasure measure_;
};

// Runs `draw` on a canvas of `width` x `height` and gives the bytes of the picture. InvalidArgument
// when it drew text that is not UTF-8, Unavailable for other failures of cairo (memory).
StatusOr<std::string> DrawPng(int width, int height, int scale,
                              const std::function<void(Canvas&)>& draw);

// What an SVG picture says of itself, for search and screen readers.
struct SvgDescription {
  std::string title = {};
  std::string description = {};
};

// The same as SVG, with ChartStyle() inside. Texts are texts, so that they can be searched and keep
// their size in the reader's font.
StatusOr<std::string> DrawSvg(int width, int height, const SvgDescription& description,
                              const std::function<void(Canvas&)>& draw);

}  // namespace gorila::drawing

#endif  // GORILA_METRICS_CANVAS_H_
