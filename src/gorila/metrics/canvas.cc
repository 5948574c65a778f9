#include "gorila/metrics/canvas.h"

#include <cairo.h>

#include <memory>
#include <numbers>

namespace gorila::drawing {
namespace {

constexpr const char* kFont = "DejaVu Sans";  // fontconfig gives the nearest where it is not there

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;

struct ContextDeleter {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
using Context = std::unique_ptr<cairo_t, ContextDeleter>;

struct FontOptionsDeleter {
  void operator()(cairo_font_options_t* options) const { cairo_font_options_destroy(options); }
};

cairo_status_t AppendCairoBytes(void* bytes, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

Status FromCairo(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return OkStatus();
  if (status == CAIRO_STATUS_INVALID_STRING) {
    return InvalidArgument("text in the figure is not valid UTF-8");
  }
  return Unavailable("cairo cannot draw the figure: {}", cairo_status_to_string(status));
}

// Glyphs keep their outlines and distances whatever the resolution is.
void TurnHintingOff(cairo_t* context) {
  const std::unique_ptr<cairo_font_options_t, FontOptionsDeleter> options(
      cairo_font_options_create());
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(context, options.get());
}

void SetFont(cairo_t* context, const TextStyle& style) {
  cairo_select_font_face(context, kFont, CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, style.size);
}

// The pixels of a PNG picture, in light colours.
class PixelCanvas final : public Canvas {
 public:
  explicit PixelCanvas(cairo_t* context) : context_(context) {}

  void FillBox(const Box& box, Colour colour) override {
    SetColour(colour);
    cairo_rectangle(context_, box.left, box.top, box.width, box.height);
    cairo_fill(context_);
  }

  void FillPolygon(std::span<const Point> corners, Colour colour) override {
    SetColour(colour);
    AddPath(corners);
    cairo_close_path(context_);
    cairo_fill(context_);
  }

  void FillCircle(Point centre, double radius, Colour colour) override {
    SetColour(colour);
    cairo_new_path(context_);
    cairo_arc(context_, centre.x, centre.y, radius, 0, 2 * std::numbers::pi);
    cairo_fill(context_);
  }

  void DrawLine(std::span<const Point> points, const Stroke& stroke) override {
    SetColour(stroke.colour);
    cairo_set_line_width(context_, stroke.width);
    cairo_set_line_join(context_, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(context_, CAIRO_LINE_CAP_BUTT);
    constexpr double kDashes[] = {5, 4};
    cairo_set_dash(context_, kDashes, stroke.dashed ? 2 : 0, 0);
    AddPath(points);
    cairo_stroke(context_);
  }

  void DrawText(const std::string& text, Point baseline, const TextStyle& style) override {
    const double shift = style.anchor * TextWidth(text, style);
    SetColour(style.colour);
    cairo_save(context_);
    cairo_translate(context_, baseline.x, baseline.y);
    if (style.upwards) cairo_rotate(context_, -std::numbers::pi / 2);
    SetFont(context_, style);
    cairo_move_to(context_, -shift, 0);
    cairo_show_text(context_, text.c_str());
    cairo_restore(context_);
  }

  void DrawAt(Point corner, const std::function<void(Canvas&)>& draw) override {
    cairo_save(context_);
    cairo_translate(context_, corner.x, corner.y);
    draw(*this);
    cairo_restore(context_);
  }

  Status status() const {
    GORILA_RETURN_IF_ERROR(measure_.status());
    return FromCairo(cairo_status(context_));
  }

 private:
  void SetColour(Colour colour) {
    const auto part = [&](int shift) {
      return static_cast<double>(colour.ink.light >> shift & 0xff) / 255;
    };
    cairo_set_source_rgba(context_, part(16), part(8), part(0), colour.opacity);
  }

  void AddPath(std::span<const Point> points) {
    cairo_new_path(context_);
    for (const Point& point : points) cairo_line_to(context_, point.x, point.y);
  }

  cairo_t* const context_;
};

}  // namespace

TextMeasure::TextMeasure()
    : surface_(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1)),
      context_(cairo_create(surface_)) {
  TurnHintingOff(context_);
}

TextMeasure::~TextMeasure() {
  cairo_destroy(context_);
  cairo_surface_destroy(surface_);
}

double TextMeasure::Width(const std::string& text, const TextStyle& style) {
  SetFont(context_, style);
  cairo_text_extents_t extents;
  cairo_text_extents(context_, text.c_str(), &extents);
  return extents.x_advance;
}

Status TextMeasure::status() const { return FromCairo(cairo_status(context_)); }

std::string Canvas::Ellipsise(const std::string& text, const TextStyle& style, double width) {
  if (TextWidth(text, style) <= width) return text;
  std::string shorter = text;
  while (!shorter.empty() && TextWidth(shorter + "…", style) > width) {
    // A whole code point: its continuation bytes and the byte before them.
    while (shorter.size() > 1 && (static_cast<unsigned char>(shorter.back()) & 0xc0) == 0x80) {
      shorter.pop_back();
    }
    shorter.pop_back();
  }
  return shorter + "…";
}

StatusOr<std::string> DrawPng(int width, int height, int scale,
                              const std::function<void(Canvas&)>& draw) {
  const Surface surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * scale, height * scale));
  const Context context(cairo_create(surface.get()));
  cairo_scale(context.get(), scale, scale);
  TurnHintingOff(context.get());
  PixelCanvas canvas(context.get());
  draw(canvas);
  GORILA_RETURN_IF_ERROR(canvas.status());
  std::string bytes;
  GORILA_RETURN_IF_ERROR(
      FromCairo(cairo_surface_write_to_png_stream(surface.get(), AppendCairoBytes, &bytes)));
  return bytes;
}

}  // namespace gorila::drawing
