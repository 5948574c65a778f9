#include "gorila/config/sweep_points.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "gorila/base/file.h"
#include "gorila/base/random.h"

namespace gorila {
namespace {

constexpr std::size_t kMostOfValue = 40;   // characters in a label
constexpr std::size_t kMostOfLabel = 120;  // the longest name of a file has 255

// Three significant digits, so that labels are short and a value can be typed again.
std::string DrawFromRange(const ConfigKey& key, const SweepRange& range, RandomStream& random) {
  const double drawn = std::exp(std::log(range.low) +
                                random.Uniform() * (std::log(range.high) - std::log(range.low)));
  const double rounded = std::strtod(fmt::format("{:.2e}", drawn).c_str(), nullptr);
  const double value = std::clamp(rounded, range.low, range.high);
  Config config;
  if (const auto* const integer = std::get_if<IntegerField>(&key.field)) {
    integer->set(config, std::llround(value));
  } else {
    std::get<RealField>(key.field).set(config, value);
  }
  return ValueText(key.field, config);
}

std::string DrawValue(const SweepAxis& axis, RandomStream& random) {
  if (axis.range) return DrawFromRange(*axis.key, *axis.range, random);
  return axis.values[random.Below(axis.values.size())];
}

// The number of all combinations; `most` + 1 for any larger number, and with a range.
std::size_t CountCombinations(std::span<const SweepAxis> axes, std::size_t most) {
  std::size_t count = 1;
  for (const SweepAxis& axis : axes) {
    if (axis.range || count > most / axis.values.size()) return most + 1;
    count *= axis.values.size();
  }
  return count;
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '+';
}

// "[64, 32]" as "64x32", "[[16, 3, 1], [32, 3, 1]]" as "16x3x1_32x3x1", "[]" as "none".
std::string ListInLabel(const std::string& value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == ',') text += i > 0 && value[i - 1] == ']' ? '_' : 'x';
    if (c >= '0' && c <= '9') text += c;
  }
  return text.empty() ? "none" : text;
}

// A text of which characters were lost carries a checksum, so that no two values look alike.
std::string ValueInLabel(const std::string& value) {
  if (value.front() == '[') return ListInLabel(value);
  const std::string shown = ShownValue(value);
  std::string text = shown.substr(0, kMostOfValue);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return !IsPlain(c); }, '-');
  if (text != shown) text += fmt::format("-{:08x}", Crc32(shown));
  return text;
}

}  // namespace

StatusOr<std::vector<SweepPoint>> GridPoints(std::span<const SweepAxis> axes, std::size_t most) {
  for (const SweepAxis& axis : axes) {
    if (!axis.range) continue;
    return InvalidArgument("{} has a range; expected --random N, which draws N points from it",
                           axis.key->name);
  }
  if (CountCombinations(axes, most) > most) {
    return InvalidArgument(
        "the grid has more than {} points; expected fewer values, or --random N, which draws N of "
        "them",
        most);
  }
  std::vector<SweepPoint> points(1);
  for (const SweepAxis& axis : axes) {
    std::vector<SweepPoint> longer;
    for (const SweepPoint& point : points) {
      for (const std::string& value : axis.values) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    }
    points = std::move(longer);
  }
  return points;
}

StatusOr<std::vector<SweepPoint>> RandomPoints(std::span<const SweepAxis> axes, std::size_t count,
                                               std::uint64_t seed) {
  const std::size_t all = CountCombinations(axes, count);
  if (count > all) {
    return InvalidArgument("--random is {}, but the grid has {} points; expected at most {}", count,
                           all, all);
  }
  // A grid is drawn empty in about N ln N draws; a range of few whole numbers may have fewer points
  // than asked for, which only trying tells.
  const std::size_t most_draws = 1000 + 100 * count;
  RandomStream random = RandomStream::Derive(seed, "sweep");
  std::set<SweepPoint> seen;
  std::vector<SweepPoint> points;
  for (std::size_t draw = 0; points.size() < count && draw < most_draws; ++draw) {
    SweepPoint point;
    for (const SweepAxis& axis : axes) point.push_back(DrawValue(axis, random));
    if (seen.insert(point).second) points.push_back(std::move(point));
  }
  if (points.size() == count) return points;
  return InvalidArgument("--random is {}, but {} draws gave {} different points; expected fewer",
                         count, most_draws, points.size());
}

Status ApplyPoint(std::span<const SweepAxis> axes, const SweepPoint& point, Config& config) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    GORILA_RETURN_IF_ERROR(SetConfigValue(config, axes[i].key->name, point[i]));
  }
  return OkStatus();
}

std::vector<std::string> AxisNames(std::span<const SweepAxis> axes) {
  std::vector<std::string> names;
  for (const SweepAxis& axis : axes) {
    const auto alike = std::count_if(axes.begin(), axes.end(), [&](const SweepAxis& other) {
      return other.key->last_part() == axis.key->last_part();
    });
    names.emplace_back(alike > 1 ? axis.key->name : axis.key->last_part());
  }
  return names;
}

std::string ShownValue(const std::string& value) {
  if (value.size() < 2 || value.front() != '"') return value;
  return value.substr(1, value.size() - 2);
}

std::string PointLabel(std::span<const SweepAxis> axes, const SweepPoint& point) {
  const std::vector<std::string> names = AxisNames(axes);
  std::string label;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    label += fmt::format("{}{}-{}", i == 0 ? "" : ",", names[i], ValueInLabel(point[i]));
  }
  if (label.size() <= kMostOfLabel) return label;
  const std::string checksum = fmt::format("-{:08x}", Crc32(label));
  return label.substr(0, kMostOfLabel - checksum.size()) + checksum;
}

}  // namespace gorila
