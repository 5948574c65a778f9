#include "gorila/cli/sweep_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <utility>

#include "gorila/base/command.h"
#include "gorila/base/file.h"
#include "gorila/cli/exit_status.h"
#include "gorila/cli/table_text.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/report_page.h"
#include "gorila/report/run_index.h"
#include "gorila/report/run_summary.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRows = 20;  // of a game

struct PointScores {
  SweepPoint point;
  std::vector<double> scores;  // one a seed
  double mean = 0;
};

struct GameScores {
  std::string game;
  std::vector<PointScores> points;
};

template <typename Item, typename Matches>
Item& FindOrAdd(std::vector<Item>& items, Matches matches, Item item) {
  const auto found = std::find_if(items.begin(), items.end(), matches);
  return found != items.end() ? *found : items.emplace_back(std::move(item));
}

// Of all finished runs of the plan; `problems` counts those with nothing to show for.
std::vector<GameScores> CollectScores(const RunPlan& plan, int& problems) {
  std::vector<GameScores> games;
  for (const PlannedRun& run : plan.runs) {
    const StatusOr<EvaluationRecord> record = ReadFinalEvaluation(run.directory);
    if (!record.ok()) continue;
    GameScores& game =
        FindOrAdd(games, [&](const GameScores& other) { return other.game == run.game; },
                  {.game = run.game, .points = {}});
    PointScores& point =
        FindOrAdd(game.points, [&](const PointScores& other) { return other.point == run.point; },
                  {.point = run.point, .scores = {}});
    point.scores.push_back(record->result.summary.mean);
    if (record->context.has_value() && !record->context->problem.empty()) ++problems;
  }
  for (GameScores& game : games) {
    for (PointScores& point : game.points) {
      point.mean = std::accumulate(point.scores.begin(), point.scores.end(), 0.0) /
                   static_cast<double>(point.scores.size());
    }
    std::stable_sort(game.points.begin(), game.points.end(),
                     [](const PointScores& a, const PointScores& b) { return a.mean > b.mean; });
  }
  return games;
}

std::vector<std::string> Row(const PointScores& point) {
  std::vector<std::string> cells;
  for (const std::string& value : point.point) cells.push_back(ShownValue(value));
  const auto [lowest, highest] = std::minmax_element(point.scores.begin(), point.scores.end());
  cells.push_back(std::to_string(point.scores.size()));
  cells.push_back(fmt::format("{:.2f}", point.mean));
  cells.push_back(fmt::format("{:.2f}", *lowest));
  cells.push_back(fmt::format("{:.2f}", *highest));
  return cells;
}

void PrintGame(const RunPlan& plan, const GameScores& game) {
  fmt::print("\n{}, mean score over seeds, best first\n", game.game);
  std::vector<std::vector<std::string>> rows = {AxisNames(plan.axes)};
  for (const char* const cell : {"seeds", "mean", "lowest", "highest"}) {
    rows.front().emplace_back(cell);
  }
  for (std::size_t i = 0; i < std::min(game.points.size(), kMostRows); ++i) {
    rows.push_back(Row(game.points[i]));
  }
  PrintTable(rows);
  if (game.points.size() > kMostRows) {
    fmt::print("and {} more\n", game.points.size() - kMostRows);
  }
}

// "learning_rate=0.0001, n_step=3": runs with other values are another group of the report.
std::string GroupLabel(std::span<const SweepAxis> axes, const Config& config) {
  const std::vector<std::string> names = AxisNames(axes);
  std::string label;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    label += fmt::format("{}{}={}", i == 0 ? "" : ", ", names[i],
                         ShownValue(ValueText(axes[i].key->field, config)));
  }
  return label;
}

// Every finished run in the folder, also of earlier commands with other values.
StatusOr<std::vector<RunSummary>> FinishedRuns(const RunPlan& plan, const fs::path& folder) {
  GORILA_ASSIGN_OR_RETURN(const FoundRuns found, FindRuns(folder));
  for (const std::string& note : found.notes) std::cerr << fmt::format("gorila: {}\n", note);
  std::vector<RunSummary> runs;
  for (const fs::path& path : found.runs) {
    if (!ReadFinalEvaluation(path).ok()) continue;
    StatusOr<RunSummary> run = ReadRun({.label = DefaultLabel(path), .directory = path});
    if (!run.ok()) {
      std::cerr << fmt::format("gorila: {}; not in the report\n",
                               std::string(run.status().message()));
      continue;
    }
    run->label = GroupLabel(plan.axes, run->config);
    runs.push_back(*std::move(run));
  }
  return runs;
}

Status WriteReport(const RunPlan& plan, const ManyRunsOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<RunSummary> runs, FinishedRuns(plan, options.folder));
  if (runs.empty()) return OkStatus();
  const std::string title = fmt::format("Sweep over {}", fmt::join(AxisNames(plan.axes), ", "));
  GORILA_ASSIGN_OR_RETURN(const std::string html, RenderHtmlReport(runs, title));
  const fs::path path = options.folder / "report.html";
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(path, html));
  fmt::print("\nreport: {}\n", path.string());
  fmt::print("next: gorila dashboard {}\n", ShellQuotedPath(options.folder.string()));
  return OkStatus();
}

}  // namespace

StatusOr<int> ReportSweep(const RunPlan& plan, const ManyRunsOptions& options) {
  int problems = 0;
  for (const GameScores& game : CollectScores(plan, problems)) PrintGame(plan, game);
  GORILA_RETURN_IF_ERROR(WriteReport(plan, options));
  if (problems == 0) return kSuccess;
  std::cerr << fmt::format(
      "gorila: {} of the finished runs learnt nothing or diverged; the report "
      "says which\n",
      problems);
  return kFailure;
}

}  // namespace gorila::cli
