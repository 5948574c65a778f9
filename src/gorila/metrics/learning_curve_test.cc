#include "gorila/metrics/learning_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <regex>

#include "gorila/base/file.h"
#include "gorila/metrics/png_image.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kScale = kLearningCurvePngScale;

struct Rgb {
  int red, green, blue;
};
constexpr Rgb kAxis = {0x59, 0x59, 0x59};
constexpr Rgb kCurve = {0x00, 0x72, 0xb2};  // the first series
constexpr Rgb kBand = {209, 230, 241};      // 18 % of it over white

bool Is(const RgbImage& image, int x, int y, Rgb colour) {
  const std::size_t at = 3 * static_cast<std::size_t>(y * image.width + x);
  return std::abs(image.pixels[at] - colour.red) <= 2 &&
         std::abs(image.pixels[at + 1] - colour.green) <= 2 &&
         std::abs(image.pixels[at + 2] - colour.blue) <= 2;
}

struct Stretch {
  int first;
  int last;
  double middle() const { return (first + last) / 2.0; }
};

// The rows of column x that have the colour.
std::optional<Stretch> Rows(const RgbImage& image, int x, Rgb colour) {
  std::optional<Stretch> rows;
  for (int y = 0; y < image.height; ++y) {
    if (Is(image, x, y, colour)) rows = Stretch{rows.has_value() ? rows->first : y, y};
  }
  return rows;
}

// The columns of row y that have the colour.
std::optional<Stretch> Columns(const RgbImage& image, int y, Rgb colour) {
  std::optional<Stretch> columns;
  for (int x = 0; x < image.width; ++x) {
    if (Is(image, x, y, colour)) columns = Stretch{columns.has_value() ? columns->first : x, x};
  }
  return columns;
}

int Count(const RgbImage& image, Rgb colour) {
  int count = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) count += Is(image, x, y, colour);
  }
  return count;
}

struct Axes {
  int left, right, top, bottom;
};

// The axes are the longest unbroken lines of their colour.
Axes FindAxes(const RgbImage& image) {
  Axes axes{};
  int highest = 0;
  for (int x = 0; x < image.width; ++x) {
    for (int y = 0, run = 0; y < image.height; ++y) {
      run = Is(image, x, y, kAxis) ? run + 1 : 0;
      if (run <= highest) continue;
      highest = run;
      axes.left = x;
      axes.top = y - run + 1;
    }
  }
  int widest = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0, run = 0; x < image.width; ++x) {
      run = Is(image, x, y, kAxis) ? run + 1 : 0;
      if (run <= widest) continue;
      widest = run;
      axes.bottom = y;
      axes.right = x;
    }
  }
  return axes;
}

RgbImage Render(const LearningCurveFigure& figure) {
  const auto bytes = RenderLearningCurvePng(figure);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return DecodePng(bytes.value()).value();
}

LearningCurveFigure BandFigure() {
  LearningCurveFigure figure;
  figure.title = "title";
  figure.x_label = "frames";
  figure.y_label = "return";
  figure.series = {{"", {{0, 5, 2, 8}, {50, 5, 2, 8}, {100, 5, 2, 8}}}};
  return figure;
}

TEST(LearningCurveTest, PngHasTheSizeAskedForTimesTheScaleOnWhite) {
  LearningCurveFigure figure = BandFigure();
  figure.width = 500;
  figure.height = 333;
  const RgbImage image = Render(figure);
  EXPECT_EQ(image.width, 500 * kScale);
  EXPECT_EQ(image.height, 333 * kScale);
  for (const int x : {0, image.width - 1}) {
    for (const int y : {0, image.height - 1}) EXPECT_TRUE(Is(image, x, y, {255, 255, 255}));
  }
  EXPECT_GT(Count(image, kAxis), 500);
}

// The y axis goes from 0 to 6 % above the highest value.
TEST(LearningCurveTest, CurveAndBandAreWhereTheAxesSay) {
  const RgbImage image = Render(BandFigure());
  const Axes axes = FindAxes(image);
  const double unit = (axes.bottom - axes.top) / (8 * 1.06);
  const int x = axes.left + (axes.right - axes.left) * 3 / 10;
  const auto band = Rows(image, x, kBand);
  const auto curve = Rows(image, x, kCurve);
  ASSERT_TRUE(band.has_value());
  ASSERT_TRUE(curve.has_value());
  EXPECT_NEAR(band->first, axes.bottom - 8 * unit, 3);
  EXPECT_NEAR(band->last, axes.bottom - 2 * unit, 3);
  EXPECT_NEAR(curve->middle(), axes.bottom - 5 * unit, 3);
  EXPECT_NEAR(curve->last - curve->first + 1, 2 * kScale, 1);
}

TEST(LearningCurveTest, AMeanThatIsNotANumberIsAGap) {
  LearningCurveFigure figure = BandFigure();
  figure.series[0].points = {{0, 5}, {40, 5}, {50, kNan}, {60, 5}, {100, 5}};
  const RgbImage image = Render(figure);
  const Axes axes = FindAxes(image);
  const auto column = [&axes](int x) { return axes.left + (axes.right - axes.left) * x / 100; };
  EXPECT_TRUE(Rows(image, column(39), kCurve).has_value());
  EXPECT_FALSE(Rows(image, column(43), kCurve).has_value());
  EXPECT_FALSE(Rows(image, column(57), kCurve).has_value());
  EXPECT_TRUE(Rows(image, column(61), kCurve).has_value());
}

TEST(LearningCurveTest, ASinglePointIsADotWithItsErrorBar) {
  LearningCurveFigure figure = BandFigure();
  figure.series[0].points = {{1e6, 5, 4, 6.5}};
  const RgbImage image = Render(figure);
  const Axes axes = FindAxes(image);
  const int middle = (axes.left + axes.right) / 2;
  const double unit = (axes.bottom - axes.top) / (6.5 + 0.06 * 2.5 - 4 + 0.06 * 2.5);
  const auto bar = Rows(image, middle, kCurve);
  ASSERT_TRUE(bar.has_value());
  EXPECT_NEAR(bar->last - bar->first, 2.5 * unit, 6);
  const int row = static_cast<int>(axes.bottom - 1.15 * unit);
  const auto dot = Columns(image, row, kCurve);
  ASSERT_TRUE(dot.has_value());
  EXPECT_NEAR(dot->middle(), middle, 2);
  EXPECT_GT(dot->last - dot->first, 4 * kScale);
}

TEST(LearningCurveTest, ValuesThatCannotBeDrawnChangeNothing) {
  const LearningCurveFigure figure = BandFigure();
  LearningCurveFigure polluted = figure;
  polluted.series[0].points.insert(polluted.series[0].points.begin(), {kNan, 3, 1, 4});
  polluted.series[0].points.push_back({200, kNan, kNan, 7});
  polluted.series[0].points.push_back({300, HUGE_VAL, -HUGE_VAL, 1});
  polluted.series[0].points.push_back({400, 1e300, 0, 1e300});
  polluted.reference_lines = {{kNan, "none"}};
  EXPECT_EQ(RenderLearningCurvePng(polluted).value(), RenderLearningCurvePng(figure).value());
}

TEST(LearningCurveTest, DrawsFiguresWithoutData) {
  LearningCurveFigure figure = BandFigure();
  for (const auto& points : {std::vector<CurvePoint>{}, std::vector<CurvePoint>{{kNan, kNan}}}) {
    figure.series[0].points = points;
    const RgbImage image = Render(figure);
    EXPECT_EQ(Count(image, kCurve), 0);
    EXPECT_GT(Count(image, kAxis), 500);
  }
  figure.series.clear();
  EXPECT_EQ(Count(Render(figure), kCurve), 0);
}

TEST(LearningCurveTest, DrawsConstantAndNegativeCurvesInsideTheAxes) {
  const auto curve = [](double from, double to) {
    return std::vector<CurvePoint>{{0, from}, {50, (from + to) / 2}, {100, to}};
  };
  for (const auto& points : {curve(0, 0), curve(7, 7), curve(-21, -21), curve(-21, -3),
                             curve(-1e-9, 1e-9), curve(1e15, 1e15), curve(-5, 5)}) {
    LearningCurveFigure figure = BandFigure();
    figure.series[0].points = points;
    const RgbImage image = Render(figure);
    const Axes axes = FindAxes(image);
    for (int percent = 5; percent < 100; percent += 10) {
      const int x = axes.left + (axes.right - axes.left) * percent / 100;
      const auto rows = Rows(image, x, kCurve);
      ASSERT_TRUE(rows.has_value()) << points[0].mean << " at " << percent;
      EXPECT_GT(rows->first, axes.top);
      EXPECT_LT(rows->last, axes.bottom);
    }
  }
}

TEST(LearningCurveTest, LegendGoesBelowAPlotThatHasNoRoomForIt) {
  LearningCurveFigure figure = BandFigure();
  figure.series[0].label = "label";
  const int roomy = FindAxes(Render(figure)).bottom;
  figure.series[0].points = {{0, 5, 0, 10}, {100, 5, 0, 10}};  // fills all of the plot
  const int crowded = FindAxes(Render(figure)).bottom;
  EXPECT_LT(crowded, roomy - 15 * kScale);
  figure.series[0].label = "";
  EXPECT_EQ(FindAxes(Render(figure)).bottom, roomy);
}

TEST(LearningCurveTest, MoreSeriesThanThePlotHasRoomForStillGiveAPicture) {
  LearningCurveFigure figure = BandFigure();
  figure.width = 240;
  figure.height = 180;
  for (int i = 0; i < 30; ++i) {
    figure.series.push_back({"a label that is far too long for so small a figure",
                             {{0, 0.0 + i, 0, 30}, {100, 30.0 - i, 0, 30}}});
  }
  const Axes axes = FindAxes(Render(figure));
  EXPECT_GT(axes.bottom - axes.top, 15 * kScale);
}

TEST(LearningCurveTest, ReferenceLinesAreDashedAcrossThePlot) {
  LearningCurveFigure figure = BandFigure();
  figure.series.clear();
  figure.reference_lines = {{10, "DQN"}};
  const RgbImage image = Render(figure);
  const Axes axes = FindAxes(image);
  const int row = (axes.top + axes.bottom) / 2;  // a constant is in the middle
  int dark = 0;
  for (int x = axes.left + 4; x < axes.right; ++x) {
    for (int y = row - 3; y <= row + 3; ++y) {
      if (!Is(image, x, y, kAxis)) continue;
      ++dark;
      break;
    }
  }
  const double fraction = static_cast<double>(dark) / (axes.right - axes.left);
  EXPECT_NEAR(fraction, 5.0 / 9, 0.1);
}

TEST(LearningCurveTest, SvgNamesEverythingEscaped) {
  LearningCurveFigure figure = BandFigure();
  figure.title = "a < b & c > d\n";
  figure.series[0].label = "<series>";
  figure.reference_lines = {{3, "R&D"}};
  const std::string svg = RenderLearningCurveSvg(figure).value();
  EXPECT_THAT(svg, StartsWith("<?xml"));
  EXPECT_THAT(svg, HasSubstr("<title>a &lt; b &amp; c &gt; d </title>"));
  EXPECT_THAT(svg, HasSubstr("<desc>return over frames; &lt;series&gt;; R&amp;D</desc>"));
  EXPECT_THAT(svg, Not(HasSubstr("<series>")));
  EXPECT_THAT(svg, HasSubstr("width=\"720"));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
}

// A page, or the style inside, says what colour a class has; other renderers take the attribute.
TEST(LearningCurveTest, SvgColoursAreClassesWithALightAndADarkVariable) {
  const std::string svg = RenderLearningCurveSvg(BandFigure()).value();
  EXPECT_THAT(svg, HasSubstr("<path class=\"c-1\" color=\"#0072b2\" fill=\"none\""));
  EXPECT_THAT(svg, HasSubstr("<rect class=\"c-ground\" color=\"#ffffff\""));
  EXPECT_THAT(svg, HasSubstr("<text class=\"c-text\""));
  EXPECT_THAT(svg, HasSubstr(".chart .c-1 { color: var(--chart-1); }"));
  const std::size_t dark = svg.find("@media (prefers-color-scheme: dark)");
  ASSERT_NE(dark, std::string::npos);
  EXPECT_LT(svg.find("--chart-1: #0072b2;"), dark);
  EXPECT_NE(svg.find("--chart-1: #3d8fd9;"), std::string::npos);
  EXPECT_THAT(svg.substr(svg.find("</style>")), Not(HasSubstr("fill=\"#")));
}

TEST(LearningCurveTest, SvgTextsAreTextsInAViewBoxOfTheFiguresSize) {
  LearningCurveFigure figure = BandFigure();
  for (const int width : {340, 720}) {
    figure.width = width;
    const std::string svg = RenderLearningCurveSvg(figure).value();
    EXPECT_THAT(svg, HasSubstr(fmt::format("viewBox=\"0 0 {} 440\"", width)));
    for (const char* const text : {">title</text>", ">frames</text>", ">return</text>"}) {
      EXPECT_THAT(svg, HasSubstr(text)) << width;
    }
    const std::regex size("font-size=\"([0-9.]+)\"");
    for (std::sregex_iterator match(svg.begin(), svg.end(), size), end; match != end; ++match) {
      EXPECT_GE(std::stod((*match)[1]), 11) << (*match)[0];
    }
  }
}

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(LearningCurveTest, DotsHaveErrorBarsAndNoLineBetween) {
  LearningCurveFigure figure = BandFigure();
  figure.series[0].dots = true;
  const std::string svg = RenderLearningCurveSvg(figure).value();
  EXPECT_EQ(CountOf(svg, "<circle class=\"c-1\""), 3);
  EXPECT_EQ(CountOf(svg, "<path class=\"c-1\""), 3 * 3);  // a bar and its ends
  EXPECT_THAT(svg, Not(HasSubstr("opacity=\"0.18\"")));
}

TEST(LearningCurveTest, ManyDotsAreAsManyAsThePlotIsWide) {
  LearningCurveFigure figure = BandFigure();
  figure.series[0].dots = true;
  figure.series[0].points.clear();
  for (int i = 0; i < 10'000; ++i) figure.series[0].points.push_back({1.0 * i, 5, 4, 6});
  const std::string svg = RenderLearningCurveSvg(figure).value();
  EXPECT_LE(CountOf(svg, "<circle"), 250);
  EXPECT_GE(CountOf(svg, "<circle"), 100);
  EXPECT_LT(svg.size(), 100'000U);
}

TEST(LearningCurveTest, ALineOfVeryManyPointsKeepsItsPeaksInFewBytes) {
  LearningCurveFigure figure = BandFigure();
  figure.series[0].points.clear();
  for (int i = 0; i < 100'000; ++i) {
    figure.series[0].points.push_back({1.0 * i, i == 77'777 ? 1000.0 : i % 7 * 0.01});
  }
  const std::string svg = RenderLearningCurveSvg(figure).value();
  EXPECT_LT(svg.size(), 100'000U);
  const std::string axis_end = ">1k</text>";  // of the peak
  EXPECT_THAT(svg, HasSubstr(axis_end));
  const RgbImage image = Render(figure);
  const Axes axes = FindAxes(image);
  const auto peak = Rows(image, axes.left + (axes.right - axes.left) * 77'777 / 100'000, kCurve);
  ASSERT_TRUE(peak.has_value());
  EXPECT_LT(peak->first, axes.top + (axes.bottom - axes.top) / 5);
}

TEST(LearningCurveTest, ALegendThatWouldBeCutGoesBelowThePlot) {
  LearningCurveFigure figure = BandFigure();
  figure.width = 340;
  figure.series[0].label = "training, mean of 100 episodes";
  const std::string svg = RenderLearningCurveSvg(figure).value();
  EXPECT_THAT(svg, HasSubstr(">training, mean of 100 episodes</text>"));
}

LearningCurveGrid Games(int games) {
  LearningCurveGrid grid{.title = "minatar & more", .x_label = "frames", .panels = {}};
  for (int i = 0; i < games; ++i) {
    LearningCurveFigure& panel = grid.panels.emplace_back(BandFigure());
    panel.title = fmt::format("game {}", i);
  }
  return grid;
}

TEST(LearningCurveGridTest, EveryPanelHasItsCurveAndItsTitle) {
  const LearningCurveGrid grid = Games(5);
  const RgbImage image = DecodePng(RenderLearningCurvePng(grid).value()).value();
  ASSERT_EQ(image.width, 3 * 360 * kScale);
  int panels = 0;
  for (int column = 0; column < 3; ++column) {
    for (int row = 0; row < 2; ++row) {
      int coloured = 0;
      for (int y = 0; y < 250 * kScale; ++y) {
        for (int x = 0; x < 360 * kScale; ++x) {
          coloured += Is(image, column * 360 * kScale + x, (34 + row * 250) * kScale + y, kCurve);
        }
      }
      panels += coloured > 300;
    }
  }
  EXPECT_EQ(panels, 5);
  const std::string svg = RenderLearningCurveSvg(grid).value();
  EXPECT_THAT(svg, HasSubstr("<title>minatar &amp; more</title>"));
  EXPECT_THAT(svg, HasSubstr("; game 0; game 1; game 2; game 3; game 4</desc>"));
}

TEST(LearningCurveGridTest, OnePanelIsItsFigure) {
  const LearningCurveFigure figure = BandFigure();
  const LearningCurveGrid grid{.title = "none", .x_label = "none", .panels = {figure}};
  EXPECT_EQ(RenderLearningCurvePng(grid).value(), RenderLearningCurvePng(figure).value());
  EXPECT_EQ(RenderLearningCurveSvg(grid).value(), RenderLearningCurveSvg(figure).value());
}

TEST(LearningCurveGridTest, ManyPanelsFitAndTooManyAreRefused) {
  EXPECT_TRUE(RenderLearningCurvePng(Games(49)).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(RenderLearningCurvePng(Games(2000)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RenderLearningCurveSvg(Games(0)).status()));
}

TEST(LearningCurveGridTest, AColumnForAPhoneIsAsLongAsItMustBe) {
  LearningCurveGrid grid = Games(60);
  grid.most_columns = 1;
  EXPECT_THAT(RenderLearningCurveSvg(grid).value(), HasSubstr("viewBox=\"0 0 340 "));
  grid.most_columns = 2;
  EXPECT_THAT(RenderLearningCurveSvg(grid).value(), HasSubstr("viewBox=\"0 0 720 "));
}

TEST(LearningCurveTest, RefusesTextThatIsNotUtf8AndSizesOutOfRange) {
  LearningCurveFigure figure = BandFigure();
  figure.title = "\xff\xfe";
  EXPECT_EQ(RenderLearningCurvePng(figure).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RenderLearningCurveSvg(figure).status().code(), absl::StatusCode::kInvalidArgument);
  figure = BandFigure();
  figure.width = 100000;
  EXPECT_THAT(RenderLearningCurvePng(figure).status().ToString(), HasSubstr("100000 x 440"));
  EXPECT_FALSE(RenderLearningCurveSvg(figure).ok());
}

TEST(LearningCurveTest, WritesThePictureThatThePathAsksFor) {
  const fs::path folder = fs::path(testing::TempDir()) / "learning_curve_test";
  ASSERT_TRUE(CreateFolders(folder).ok());
  ASSERT_TRUE(WriteLearningCurve(folder / "curve.png", BandFigure()).ok());
  ASSERT_TRUE(WriteLearningCurve(folder / "curve.svg", BandFigure()).ok());
  EXPECT_TRUE(DecodePng(ReadFile(folder / "curve.png").value()).ok());
  EXPECT_THAT(ReadFile(folder / "curve.svg").value(), HasSubstr("<svg"));
  EXPECT_THAT(WriteLearningCurve(folder / "curve.jpeg", BandFigure()).ToString(),
              HasSubstr("'.jpeg'; expected '.png' or '.svg'"));
  EXPECT_FALSE(WriteLearningCurve(folder / "none" / "curve.png", BandFigure()).ok());
  fs::remove_all(folder);
}

}  // namespace
}  // namespace gorila
