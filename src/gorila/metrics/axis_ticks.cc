#include "gorila/metrics/axis_ticks.h"

#include <algorithm>
#include <cmath>

#include "gorila/base/status.h"

namespace gorila {
namespace {

constexpr double kTolerance = 1e-9;  // of a step: limits that are ticks but for rounding count

double CountTicks(double low, double high, double step) {
  return std::floor(high / step + kTolerance) - std::ceil(low / step - kTolerance) + 1;
}

double NiceStep(double low, double high, int most) {
  double power = std::pow(10.0, std::floor(std::log10((high - low) / most)));
  while (true) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (CountTicks(low, high, factor * power) <= most) return factor * power;
    }
    power *= 10;
  }
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

}  // namespace

std::string FormatTick(double value, double step) {
  const double size = std::abs(value);
  const std::string sign = value < 0 ? "\u2212" : "";
  if (size < step / 2) return "0";
  if (size >= 1e12 || step < 1e-4) return sign + fmt::format("{:.6g}", size);
  const Unit unit = UnitOf(size * (1 + kTolerance));
  const double needed = std::ceil(-std::log10(step / unit.size) - kTolerance);
  const int decimals = std::max(0, static_cast<int>(needed));
  std::string number = fmt::format("{:.{}f}", size / unit.size, decimals);
  if (decimals > 0 && unit.size > 1) {  // "1M" between "800k" and "1.2M"
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  return sign + number + unit.name;
}

std::vector<AxisTick> MakeAxisTicks(double low, double high, int most) {
  GORILA_CHECK(std::isfinite(low) && std::isfinite(high) && low < high && most >= 2,
               "{} .. {}, {} ticks", low, high, most);
  const double step = NiceStep(low, high, most);
  const double first = std::ceil(low / step - kTolerance);
  const int count = static_cast<int>(CountTicks(low, high, step));
  std::vector<AxisTick> ticks;
  for (int i = 0; i < count; ++i) {
    const double value = (first + i) * step;
    ticks.push_back({value, FormatTick(value, step)});
  }
  return ticks;
}

}  // namespace gorila
