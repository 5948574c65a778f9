#include "gorila/metrics/wide_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/metrics/game_names.h"
#include "gorila/metrics/number_format.h"
#include "gorila/metrics/sparkline.h"

namespace gorila {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr int kLongestLabel = 24;
constexpr int kMostWorkerLines = 8;

struct NamedCurve {
  std::string label;
  std::vector<CurveSample> points;
};

std::vector<NamedCurve> CurvesOf(const ProgressSnapshot& snapshot, const ProgressHistory& history) {
  std::vector<NamedCurve> curves;
  if (snapshot.per_game.empty()) {
    curves.push_back({"return", history.Returns("")});
  } else if (snapshot.per_game.size() <= kMostGameCurves) {
    std::vector<std::string> names;
    for (const GameProgress& game : snapshot.per_game) names.push_back(game.name);
    const std::vector<std::string> labels = ShortGameNames(names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      curves.push_back({labels[i], history.Returns(names[i])});
    }
  }
  auto evaluations = history.Evaluations();
  if (!evaluations.empty()) curves.push_back({"evaluation", std::move(evaluations)});
  return curves;
}

// "  8.42    0.12 to 9.30", padded, so that the curve before it keeps its length.
TextPieces CurveFigures(const std::vector<CurveSample>& points) {
  constexpr int kReturnColumns = 7;
  constexpr int kRangeColumns = 18;
  if (points.empty()) return {{PaddedText("  -", 2 + kReturnColumns + kRangeColumns)}};
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(),
                          [](const CurveSample& a, const CurveSample& b) { return a.y < b.y; });
  const std::string range = fmt::format("{} to {}", FormatReturn(low->y), FormatReturn(high->y));
  return {{"  "},
          {PaddedText(FormatReturn(points.back().y), kReturnColumns), kGreen},
          {PaddedText(range, kRangeColumns), kDim}};
}

// "learner 62%": what its thread does most.
std::string DescribeWork(const WorkSeconds& work) {
  constexpr std::array<std::string_view, kWorks> kParts = {"actor", "replay", "learner", "server",
                                                           "waiting"};
  const auto most = std::max_element(work.begin(), work.end());
  if (*most <= 0) return "";
  return fmt::format("{} {:.0f}%", kParts[static_cast<std::size_t>(most - work.begin())],
                     100 * *most);
}

struct Worker {
  std::string name;
  WorkerRates rates;
  double recent_return = kUnknown;
  double epsilon = kUnknown;
  WorkSeconds work{};
};

std::vector<Worker> WorkersOf(const ProgressSnapshot& snapshot) {
  std::vector<Worker> workers;
  int bundles = 0;
  int actors = 0;
  for (const BundleProgress& bundle : snapshot.per_bundle) {
    std::string name =
        bundle.learns ? fmt::format("bundle {}", bundles++) : fmt::format("actor {}", actors++);
    workers.push_back(
        {std::move(name), bundle.rates, bundle.recent_return, bundle.epsilon, bundle.work});
  }
  const std::size_t learners =
      std::min(snapshot.learner_rates.size(), snapshot.learner_work.size());
  for (std::size_t i = 0; i < learners; ++i) {
    workers.push_back({.name = fmt::format("learner {}", i),
                       .rates = snapshot.learner_rates[i],
                       .work = snapshot.learner_work[i]});
  }
  return workers;
}

TextPieces WorkerLine(const Worker& worker, int columns) {
  constexpr int kNameColumns = 11;
  std::vector<TextItem> items = {{"frames/s", FormatRate(worker.rates.frames_per_second), 14},
                                 {"updates/s", FormatRate(worker.rates.updates_per_second), 14},
                                 {"return", FormatReturn(worker.recent_return), 13, kGreen},
                                 {"epsilon", FormatDecimal(worker.epsilon, 3), 13},
                                 {"staleness", FormatRate(worker.rates.staleness), 14}};
  TextPieces line = {{PaddedText(worker.name, kNameColumns), kDim}};
  const TextPieces figures = ItemLine(items, columns - kNameColumns);
  line.insert(line.end(), figures.begin(), figures.end());
  const std::string work = DescribeWork(worker.work);
  const int padding =
      2 + std::max(0, 14 - TextColumns(items.back().name) - 1 - TextColumns(items.back().value));
  if (TextColumns(line) + padding + TextColumns(work) <= columns) {
    line.push_back({std::string(static_cast<std::size_t>(padding), ' ') + work});
  }
  return line;
}

}  // namespace

void AppendCurveLines(const ProgressSnapshot& snapshot, const ProgressHistory& history, int columns,
                      bool utf8, TextLines& lines) {
  const std::vector<NamedCurve> curves = CurvesOf(snapshot, history);
  int label_columns = TextColumns("evaluation");
  for (const NamedCurve& curve : curves) {
    label_columns = std::max(label_columns, std::min(TextColumns(curve.label), kLongestLabel));
  }
  for (const NamedCurve& curve : curves) {
    const TextPieces figures = CurveFigures(curve.points);
    const int room = columns - label_columns - 1 - TextColumns(figures);
    const std::vector<double> values =
        Resampled(curve.points, static_cast<double>(snapshot.frames), room);
    TextPieces line = {{PaddedText(curve.label, label_columns) + " ", kDim},
                       {Sparkline(values, utf8), kGreen}};
    line.insert(line.end(), figures.begin(), figures.end());
    lines.push_back(std::move(line));
  }
}

void AppendWorkerLines(const ProgressSnapshot& snapshot, int columns, int most, TextLines& lines) {
  const std::vector<Worker> workers = WorkersOf(snapshot);
  const auto room = static_cast<std::size_t>(std::clamp(most, 0, kMostWorkerLines));
  const std::size_t shown =
      workers.size() <= room ? workers.size() : room - std::min<std::size_t>(room, 1);
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(WorkerLine(workers[i], columns));
  if (shown == workers.size() || room == 0) return;
  lines.push_back({{fmt::format("and {} more; returns of all: {} to {}", workers.size() - shown,
                                FormatReturn(snapshot.lowest_bundle_return),
                                FormatReturn(snapshot.highest_bundle_return)),
                    kDim}});
}

}  // namespace gorila
