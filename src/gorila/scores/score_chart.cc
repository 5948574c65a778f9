#include "gorila/scores/score_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gorila/base/file.h"
#include "gorila/metrics/canvas.h"
#include "gorila/metrics/chart_axis.h"

namespace gorila {
namespace {

using drawing::Canvas;
using drawing::Colour;
using drawing::Point;
using drawing::Stroke;
using drawing::TextStyle;

constexpr int kPngScale = 2;
constexpr double kMargin = 16;
constexpr double kTitleHeight = 26;
constexpr double kLegendHeight = 22;
constexpr double kAxisHeight = 34;
constexpr double kNameWidth = 130;
constexpr double kPlotWidth = 420;
constexpr double kValueWidth = 56;  // right of the plot, for the numbers of the longest bars
constexpr double kPanelWidth = kNameWidth + kPlotWidth + kValueWidth;
constexpr double kBarHeight = 5;
constexpr double kRowGap = 5;
constexpr double kHuman = 100;  // percent

constexpr Colour kGround = {drawing::kGroundInk};
constexpr Stroke kGrid = {.colour = {drawing::kGridInk}, .width = 1};
constexpr Stroke kHumanLine = {.colour = {drawing::kQuietInk}, .width = 1.25, .dashed = true};

constexpr TextStyle kTitle = {.size = 14, .bold = true};
constexpr TextStyle kLegend = {.size = 11.5};
constexpr TextStyle kName = {.size = 10.5, .anchor = 1};
constexpr TextStyle kTick = {.size = 10, .anchor = 0.5};
constexpr TextStyle kValue = {.size = 9};
constexpr TextStyle kNote = {.size = 9, .colour = {drawing::kQuietInk}};

Colour AgentColour(Agent agent) {
  switch (agent) {
    case Agent::kDqn:
      return {drawing::kFaintInk};
    case Agent::kGorila:
      return {drawing::kSeriesInks[0]};
    case Agent::kOurs:
      break;
  }
  return {drawing::kSeriesInks[1]};
}

TextStyle Coloured(TextStyle style, Colour colour) {
  style.colour = colour;
  return style;
}

// "85 %", "4,696 %".
std::string PercentText(double percent) {
  const auto whole = static_cast<std::int64_t>(std::llround(percent));
  if (whole < 1000) return fmt::format("{} %", whole);
  return fmt::format("{},{:03} %", whole / 1000, whole % 1000);
}

// One section of the table.
class Panel {
 public:
  Panel(Canvas& canvas, const ScoreSection& section, Denominator denominator, double left)
      : canvas_(canvas),
        section_(section),
        denominator_(denominator),
        left_(left + kNameWidth),
        agents_(section.HasOurs() ? std::vector<Agent>(kAllAgents.begin(), kAllAgents.end())
                                  : std::vector<Agent>{Agent::kDqn, Agent::kGorila}) {
    for (const ScoreRow& row : section.rows) rows_.push_back(&row);
    std::stable_sort(rows_.begin(), rows_.end(), [this](const ScoreRow* a, const ScoreRow* b) {
      return SortKey(*a) > SortKey(*b);
    });
    for (const ScoreRow* row : rows_) {
      for (const Agent agent : agents_) {
        const double percent = row->Normalised(agent, denominator_);
        while (std::isfinite(percent) && percent > axis_.range.high) axis_.range.high *= 10;
      }
    }
    ticks_ = MakeAxisTicks(axis_, MostTicksAcross(kPlotWidth));
  }

  static double Height(const ScoreSection& section) {
    const double row = (section.HasOurs() ? 3 : 2) * kBarHeight + kRowGap;
    return kTitleHeight + kLegendHeight + row * static_cast<double>(section.rows.size()) +
           kAxisHeight;
  }

  void Paint(double top) {
    const double plot_top = top + kTitleHeight + kLegendHeight;
    const double row_height = static_cast<double>(agents_.size()) * kBarHeight + kRowGap;
    const double bottom = plot_top + row_height * static_cast<double>(rows_.size());
    canvas_.DrawText(fmt::format("Atari 2600, {}", StartsName(section_.starts)),
                     {left_ - kNameWidth, top + 15}, kTitle);
    PaintLegend(top + kTitleHeight);
    PaintGridLines(plot_top, bottom);
    double y = plot_top + kRowGap / 2;
    for (const ScoreRow* row : rows_) {
      PaintRow(*row, y);
      y += row_height;
    }
    PaintAxis(bottom);
  }

 private:
  // Rows without a score of the agent that orders them come last.
  double SortKey(const ScoreRow& row) const {
    if (!Meaningful(row)) return -1e300;
    const double percent = row.Normalised(agents_.back(), denominator_);
    return std::isfinite(percent) ? percent : -1e299;
  }

  // The paper leaves out the game where people play worse than chance; so do we, but for its name.
  bool Meaningful(const ScoreRow& row) const {
    const double range = row.published.human - row.published.random;
    return denominator_ == Denominator::kSigned ? range > 0 : range != 0;
  }

  double X(double percent) const { return left_ + axis_.Position(percent, kPlotWidth); }

  void PaintLegend(double top) {
    double x = left_ - kNameWidth;
    for (const Agent agent : agents_) {
      canvas_.FillBox({x, top + 2, 12, 9}, AgentColour(agent));
      const std::string name(AgentName(agent));
      canvas_.DrawText(name, {x + 17, top + 11}, kLegend);
      x += 17 + canvas_.TextWidth(name, kLegend) + 18;
    }
  }

  void PaintGridLines(double top, double bottom) {
    for (const AxisTick& tick : ticks_) {
      const double x = X(tick.value);
      const std::array line = {Point{x, top}, Point{x, bottom}};
      canvas_.DrawLine(line, tick.value == kHuman ? kHumanLine : kGrid);
    }
  }

  void PaintAxis(double bottom) {
    for (const AxisTick& tick : ticks_) {
      canvas_.DrawText(tick.value == kHuman ? "100 % = human" : PercentText(tick.value),
                       {X(tick.value), bottom + 13}, kTick);
    }
    canvas_.DrawText(fmt::format("score normalised by {}", DenominatorText(denominator_)),
                     {left_ + kPlotWidth / 2, bottom + 28}, kTick);
  }

  void PaintRow(const ScoreRow& row, double top) {
    const double middle = top + static_cast<double>(agents_.size()) * kBarHeight / 2;
    canvas_.DrawText(canvas_.Ellipsise(row.game, kName, kNameWidth - 8), {left_ - 8, middle + 3.5},
                     Coloured(kName, AgentColour(Best(row))));
    if (!Meaningful(row)) {
      canvas_.DrawText("not shown: human scores below random", {left_ + 4, middle + 3}, kNote);
      return;
    }
    double y = top;
    for (const Agent agent : agents_) {
      PaintBar(row.Normalised(agent, denominator_), agent, y);
      y += kBarHeight;
    }
    PaintValue(row.Normalised(Best(row), denominator_), middle);
  }

  void PaintBar(double percent, Agent agent, double top) {
    if (!std::isfinite(percent) || X(std::max(percent, 1e-9)) <= left_) return;
    canvas_.FillBox({left_, top, X(percent) - left_, kBarHeight}, AgentColour(agent));
  }

  void PaintValue(double percent, double middle) {
    if (percent < 0) {
      canvas_.DrawText("below random", {left_ + 4, middle + 3}, kNote);
    } else if (percent <= axis_.range.low) {
      canvas_.DrawText("under 1 %", {left_ + 4, middle + 3}, kNote);
    } else {
      const std::string text = PercentText(percent);
      const double x = X(percent) + 4;
      // The line at 100 % must not cross it out.
      canvas_.FillBox({x - 1, middle - 5, canvas_.TextWidth(text, kValue) + 2, 10}, kGround);
      canvas_.DrawText(text, {x, middle + 3}, kValue);
    }
  }

  Agent Best(const ScoreRow& row) const {
    Agent best = Agent::kDqn;
    for (const Agent agent : agents_) {
      if (row.score(agent) > row.score(best)) best = agent;
    }
    return best;
  }

  Canvas& canvas_;
  const ScoreSection& section_;
  const Denominator denominator_;
  const double left_;  // of the plot
  const std::vector<Agent> agents_;
  std::vector<const ScoreRow*> rows_;
  // In percent; decades are added where scores need them.
  ChartAxis axis_ = {.range = {1, 1000}, .scale = AxisScale::kLogarithmic};
  std::vector<AxisTick> ticks_;
};

struct Size {
  int width;
  int height;
};

Size ChartSize(const ScoreTable& table) {
  double height = 0;
  for (const ScoreSection& section : table.sections) {
    height = std::max(height, Panel::Height(section));
  }
  const auto panels = static_cast<double>(table.sections.size());
  return {static_cast<int>(std::ceil(panels * (kPanelWidth + kMargin) + kMargin)),
          static_cast<int>(std::ceil(height + 2 * kMargin))};
}

void PaintChart(Canvas& canvas, const ScoreTable& table) {
  const Size size = ChartSize(table);
  canvas.FillBox({0, 0, static_cast<double>(size.width), static_cast<double>(size.height)},
                 kGround);
  double left = kMargin;
  for (const ScoreSection& section : table.sections) {
    Panel(canvas, section, table.denominator, left).Paint(kMargin);
    left += kPanelWidth + kMargin;
  }
}

Status CheckTable(const ScoreTable& table) {
  if (table.sections.empty()) return InvalidArgument("the table of scores has nothing to draw");
  return OkStatus();
}

}  // namespace

StatusOr<std::string> RenderScoreChartPng(const ScoreTable& table) {
  GORILA_RETURN_IF_ERROR(CheckTable(table));
  const Size size = ChartSize(table);
  return drawing::DrawPng(size.width, size.height, kPngScale,
                          [&](Canvas& canvas) { PaintChart(canvas, table); });
}

StatusOr<std::string> RenderScoreChartSvg(const ScoreTable& table) {
  GORILA_RETURN_IF_ERROR(CheckTable(table));
  const Size size = ChartSize(table);
  return drawing::DrawSvg(size.width, size.height,
                          {.title = "Human-normalised scores", .description = {}},
                          [&](Canvas& canvas) { PaintChart(canvas, table); });
}

Status WriteScoreChart(const std::filesystem::path& path, const ScoreTable& table) {
  const std::string extension = path.extension().string();
  if (extension != ".png" && extension != ".svg") {
    return InvalidArgument("'{}' ends in '{}'; expected '.png' or '.svg'", path.string(),
                           extension);
  }
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, extension == ".png"
                                                       ? RenderScoreChartPng(table)
                                                       : RenderScoreChartSvg(table));
  return WriteFileAtomically(path, bytes);
}

}  // namespace gorila
