#include <algorithm>
#include <cmath>
#include <iterator>

#include "gorila/base/xml.h"
#include "gorila/metrics/canvas.h"

namespace gorila::drawing {
namespace {

// Tenths of a pixel, as short as can be: most of a picture is coordinates.
void AppendNumber(std::string& text, double value) {
  const auto tenths = static_cast<long long>(std::llround(std::clamp(value, -1e6, 1e6) * 10));
  if (tenths % 10 == 0) {
    fmt::format_to(std::back_inserter(text), "{}", tenths / 10);
  } else {
    fmt::format_to(std::back_inserter(text), "{:.1f}", static_cast<double>(tenths) / 10);
  }
}

std::string Number(double value) {
  std::string text;
  AppendNumber(text, value);
  return text;
}

std::string Path(std::span<const Point> points) {
  std::string path = "M";
  for (const Point& point : points) {
    if (path.size() > 1) path += ' ';
    AppendNumber(path, point.x);
    path += ' ';
    AppendNumber(path, point.y);
  }
  return path;
}

// Renderers without CSS take the attribute, which any rule of a style sheet overrules.
std::string Paint(Colour colour) {
  if (colour.ink.name == nullptr) return fmt::format("color=\"#{:06x}\"", colour.ink.light);
  return fmt::format("class=\"c-{}\" color=\"#{:06x}\"", colour.ink.name, colour.ink.light);
}

std::string Opacity(Colour colour) {
  return colour.opacity < 1 ? fmt::format(" opacity=\"{:.2g}\"", colour.opacity) : "";
}

std::string_view AnchorName(double anchor) {
  return anchor == 0 ? "start" : anchor == 1 ? "end" : "middle";
}

class SvgCanvas final : public Canvas {
 public:
  void FillBox(const Box& box, Colour colour) override {
    Append("<rect {} fill=\"currentColor\"{} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
           Paint(colour), Opacity(colour), Number(box.left), Number(box.top), Number(box.width),
           Number(box.height));
  }

  void FillPolygon(std::span<const Point> corners, Colour colour) override {
    if (corners.empty()) return;
    Append("<path {} fill=\"currentColor\"{} d=\"{}Z\"/>\n", Paint(colour), Opacity(colour),
           Path(corners));
  }

  void FillCircle(Point centre, double radius, Colour colour) override {
    Append("<circle {} fill=\"currentColor\"{} cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", Paint(colour),
           Opacity(colour), Number(centre.x), Number(centre.y), Number(radius));
  }

  void DrawLine(std::span<const Point> points, const Stroke& stroke) override {
    if (points.empty()) return;
    Append(
        "<path {} fill=\"none\" stroke=\"currentColor\"{} stroke-width=\"{}\" "
        "stroke-linejoin=\"round\"{} d=\"{}\"/>\n",
        Paint(stroke.colour), Opacity(stroke.colour), stroke.width,
        stroke.dashed ? " stroke-dasharray=\"5 4\"" : "", Path(points));
  }

  void DrawText(const std::string& text, Point baseline, const TextStyle& style) override {
    TextWidth(text, style);  // notes what is not UTF-8
    const std::string place =
        fmt::format("x=\"{}\" y=\"{}\"{}", Number(baseline.x), Number(baseline.y),
                    style.upwards ? fmt::format(" transform=\"rotate(-90 {} {})\"",
                                                Number(baseline.x), Number(baseline.y))
                                  : "");
    Append("<text {} fill=\"currentColor\"{} {} font-size=\"{}\" text-anchor=\"{}\"{}>{}</text>\n",
           Paint(style.colour), Opacity(style.colour), place, style.size, AnchorName(style.anchor),
           style.bold ? " font-weight=\"bold\"" : "", EscapeXml(text));
  }

  void DrawAt(Point corner, const std::function<void(Canvas&)>& draw) override {
    Append("<g transform=\"translate({} {})\">\n", Number(corner.x), Number(corner.y));
    draw(*this);
    Append("</g>\n");
  }

  const std::string& elements() const { return elements_; }
  Status status() const { return measure_.status(); }

 private:
  template <typename... Args>
  void Append(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(elements_), format, std::forward<Args>(args)...);
  }

  std::string elements_;
};

std::string Line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return EscapeXml(text);
}

template <typename Use>
void ForEachInk(const Use& use) {
  for (const Ink& ink : {kGroundInk, kTextInk, kQuietInk, kGridInk, kFaintInk}) use(ink);
  for (const Ink& ink : kSeriesInks) use(ink);
}

}  // namespace

std::string ChartStyle() {
  std::string light, dark, classes;
  ForEachInk([&](const Ink& ink) {
    fmt::format_to(std::back_inserter(light), " --chart-{}: #{:06x};", ink.name, ink.light);
    fmt::format_to(std::back_inserter(dark), " --chart-{}: #{:06x};", ink.name, ink.dark);
    fmt::format_to(std::back_inserter(classes), ".chart .c-{0} {{ color: var(--chart-{0}); }}\n",
                   ink.name);
  });
  return fmt::format(
      ":root {{{} }}\n@media (prefers-color-scheme: dark) {{ :root {{{} }} }}\n"
      "/* Paper is white. */\n@media print {{ :root {{{} }} }}\n{}",
      light, dark, light, classes);
}

StatusOr<std::string> DrawSvg(int width, int height, const SvgDescription& description,
                              const std::function<void(Canvas&)>& draw) {
  SvgCanvas canvas;
  draw(canvas);
  GORILA_RETURN_IF_ERROR(canvas.status());
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" width=\"{0}\" "
      "height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"DejaVu Sans, Verdana, sans-serif\">\n"
      "<title>{2}</title>\n<desc>{3}</desc>\n<style>\n{4}</style>\n{5}</svg>\n",
      width, height, Line(description.title), Line(description.description), ChartStyle(),
      canvas.elements());
}

}  // namespace gorila::drawing
