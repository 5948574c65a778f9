#include "gorila/metrics/chart_axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "gorila/base/status.h"

namespace gorila {
namespace {

constexpr double kTolerance = 1e-9;  // of a step: limits that are ticks but for rounding count
constexpr double kLeast = 1e-290;    // far enough from the smallest double to divide by
constexpr double kMostDecades = 1e12;
constexpr double kTickSpacingAcross = 70;  // pixels
constexpr double kTickSpacingUp = 45;

constexpr double kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::array<double, 17> kTimeSteps = {
    1,       2,           5,           10,           15,           30,
    kMinute, 2 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute, 30 * kMinute,
    kHour,   2 * kHour,   3 * kHour,   6 * kHour,    12 * kHour};

double CountTicks(double low, double high, double step) {
  return std::floor(high / step + kTolerance) - std::ceil(low / step - kTolerance) + 1;
}

// The smallest step that needs at most `most` ticks; one smaller, `before`, where it has a single
// one, which says nothing of a scale.
class StepSearch {
 public:
  StepSearch(double low, double high, int most) : low_(low), high_(high), most_(most) {}

  // The step, once it is found; steps ascend.
  std::optional<double> Try(double step) {
    const double count = CountTicks(low_, high_, step);
    if (count <= most_) return count >= 2 || before_ == 0 ? step : before_;
    before_ = step;
    return std::nullopt;
  }

 private:
  double low_, high_;
  int most_;
  double before_ = 0;
};

double NumberStep(double low, double high, int most) {
  StepSearch search(low, high, most);
  double power = std::pow(10.0, std::floor(std::log10((high - low) / most)));
  while (true) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (const auto step = search.Try(factor * power); step.has_value()) return *step;
    }
    power *= 10;
  }
}

double TimeStep(double low, double high, int most) {
  const double below_a_second = NumberStep(low, high, most);
  if (below_a_second < 1) return below_a_second;
  StepSearch search(low, high, most);
  for (const double time : kTimeSteps) {
    if (const auto step = search.Try(time); step.has_value()) return *step;
  }
  return kDay * NumberStep(low / kDay, high / kDay, most);
}

std::string FormatOn(const ChartAxis& axis, double value, double step) {
  return axis.unit == AxisUnit::kSeconds ? FormatTimeTick(value, step) : FormatTick(value, step);
}

std::vector<AxisTick> LinearTicks(const ChartAxis& axis, int most) {
  const auto [low, high] = axis.range;
  const double step =
      axis.unit == AxisUnit::kSeconds ? TimeStep(low, high, most) : NumberStep(low, high, most);
  const double first = std::ceil(low / step - kTolerance);
  const int count = static_cast<int>(CountTicks(low, high, step));
  std::vector<AxisTick> ticks;
  for (int i = 0; i < count; ++i) {
    const double value = (first + i) * step;
    ticks.push_back({value, FormatOn(axis, value, step)});
  }
  return ticks;
}

// The powers of ten or, of times, what is as round: 1 s, 10 s, 1 m, 10 m, 1 h, 10 h, 1 d, 10 d.
// Never above the power of ten.
double Milestone(int index, AxisUnit unit) {
  constexpr std::array<double, 4> kTimes = {kMinute, 10 * kMinute, kHour, 10 * kHour};
  if (unit == AxisUnit::kNumber || index < 2) return std::pow(10.0, index);
  if (index < 6) return kTimes.at(static_cast<std::size_t>(index) - 2);
  return kDay * std::pow(10.0, index - 6);
}

// The round multiples of a milestone below the next one.
std::span<const double> Multiples(int index, AxisUnit unit) {
  static constexpr std::array<double, 3> kRound = {1, 2, 5};
  static constexpr std::array<double, 2> kOfSixty = {1, 3};
  if (unit == AxisUnit::kNumber || index < 1 || index > 5) return kRound;
  if (index == 1 || index == 3) return kOfSixty;  // 10 and 30 of 60
  return std::span(kRound).first(index == 5 ? 1 : 3);
}

// `apart` 0: with round multiples between the milestones; n: every nth milestone.
std::vector<AxisTick> MilestoneTicks(const ChartAxis& axis, int apart) {
  const auto [low, high] = axis.range;
  std::vector<AxisTick> ticks;
  for (int index = static_cast<int>(std::floor(std::log10(low)));; ++index) {
    const double milestone = Milestone(index, axis.unit);
    if (milestone > high * (1 + kTolerance)) return ticks;
    if (apart > 0 && index % apart != 0) continue;
    const auto multiples = Multiples(index, axis.unit);
    for (const double factor : apart == 0 ? multiples : multiples.first(1)) {
      const double value = factor * milestone;
      if (value < low * (1 - kTolerance) || value > high * (1 + kTolerance)) continue;
      ticks.push_back({value, FormatOn(axis, value, milestone)});
    }
  }
}

std::vector<AxisTick> LogarithmicTicks(const ChartAxis& axis, int most) {
  // The steps of a linear axis crowd at the upper end of a logarithm.
  if (axis.range.high < 10 * axis.range.low) return LinearTicks(axis, std::max(2, most / 2));
  for (int apart = 0;; ++apart) {
    std::vector<AxisTick> ticks = MilestoneTicks(axis, apart);
    if (ticks.size() > static_cast<std::size_t>(most)) continue;
    return ticks.size() >= 2 ? ticks : LinearTicks(axis, most);
  }
}

AxisRange FitLogarithm(const std::optional<AxisRange>& data, double padding) {
  if (!data.has_value()) return {1, 10};
  const double low = std::max({data->low, data->high / kMostDecades, kLeast});
  const double high = std::max(data->high, low);
  const double factor = high < low * (1 + kTolerance) ? 2 : std::pow(high / low, padding);
  return {low / factor, high * factor};
}

struct Unit {
  double size;
  const char* name;
};

Unit UnitOf(double size) {
  if (size >= 1e9) return {1e9, "G"};
  if (size >= 1e6) return {1e6, "M"};
  if (size >= 1e3) return {1e3, "k"};
  return {1, ""};
}

int DecimalsOf(double step) {
  return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - kTolerance)));
}

const char* SignOf(double value) { return value < 0 ? "\u2212" : ""; }

}  // namespace

AxisRange FitRange(const std::optional<AxisRange>& data, double padding, AxisScale scale) {
  if (scale == AxisScale::kLogarithmic) return FitLogarithm(data, padding);
  if (!data.has_value()) return {0, 1};
  const double size = std::max(std::abs(data->low), std::abs(data->high));
  if (size < kLeast) return {-1, 1};
  if (data->high - data->low < 1e-9 * size) {
    return {std::min(0.0, 2 * data->low), std::max(0.0, 2 * data->high)};
  }
  const bool from_zero = data->low >= 0 && data->low < 0.5 * data->high;
  const double pad = padding * (data->high - (from_zero ? 0 : data->low));
  return {from_zero ? 0 : data->low - pad, data->high + pad};
}

double ChartAxis::Position(double value, double length) const {
  if (scale == AxisScale::kLinear) return length * (value - range.low) / (range.high - range.low);
  const double low = std::log10(range.low);
  return length * (std::log10(value) - low) / (std::log10(range.high) - low);
}

int MostTicksAcross(double width) {
  return std::max(2, static_cast<int>(width / kTickSpacingAcross));
}

int MostTicksUp(double height) { return std::max(2, static_cast<int>(height / kTickSpacingUp)); }

std::vector<AxisTick> MakeAxisTicks(const ChartAxis& axis, int most) {
  const auto [low, high] = axis.range;
  const bool logarithmic = axis.scale == AxisScale::kLogarithmic;
  GORILA_CHECK(std::isfinite(low) && std::isfinite(high) && low < high && most >= 2,
               "{} .. {}, {} ticks", low, high, most);
  GORILA_CHECK(!logarithmic || low > 0, "the logarithm of {}", low);
  return logarithmic ? LogarithmicTicks(axis, most) : LinearTicks(axis, most);
}

std::string FormatTick(double value, double step) {
  const double size = std::abs(value);
  if (size < step / 2) return "0";
  if (size >= 1e12 || step < 1e-4) return SignOf(value) + fmt::format("{:.6g}", size);
  const Unit unit = UnitOf(size * (1 + kTolerance));
  const int decimals = DecimalsOf(step / unit.size);
  std::string number = fmt::format("{:.{}f}", size / unit.size, decimals);
  if (decimals > 0 && unit.size > 1) {  // "1M" between "800k" and "1.2M"
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  return SignOf(value) + number + unit.name;
}

std::string FormatTimeTick(double seconds, double step) {
  const double size = std::abs(seconds);
  if (size < step / 2) return "0";
  if (step >= kDay) return SignOf(seconds) + FormatTick(size / kDay, step / kDay) + "d";
  const int decimals = DecimalsOf(step);
  double left = size + kTolerance * step;
  std::string text;
  for (const Unit& unit : {Unit{kDay, "d"}, Unit{kHour, "h"}, Unit{kMinute, "m"}, Unit{1, "s"}}) {
    const double part = unit.size > 1 ? std::floor(left / unit.size) : left;
    left -= part * unit.size;
    if (part < std::min(step, 1.0) / 2) continue;
    if (!text.empty()) text += ' ';
    text += fmt::format("{:.{}f}{}", part, unit.size > 1 ? 0 : decimals, unit.name);
  }
  return SignOf(seconds) + text;
}

}  // namespace gorila
