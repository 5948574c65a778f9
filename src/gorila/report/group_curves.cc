#include "gorila/report/group_curves.h"

#include <algorithm>

#include "gorila/config/games.h"
#include "gorila/metrics/game_names.h"

namespace gorila {
namespace {

constexpr std::size_t kGridPoints = 200;

LearningCurveFigure MakePanel(const GameRuns& runs, CurveAxis axis, int game) {
  LearningCurveFigure figure;
  figure.x_label = axis == CurveAxis::kFrames ? "environment frames" : "seconds of training";
  figure.y_label = fmt::format("training return, mean of {} episodes", kSmoothedEpisodes);
  for (const RunGroup& group : runs.groups) {
    const auto curves = GroupCurves(group, axis, game);
    const bool drawn = HaveCurves(std::span(&group, 1), axis, game);
    const std::string count = curves.size() > 1 ? fmt::format(", {} runs", curves.size()) : "";
    figure.series.push_back({group.label + count, drawn ? AggregateRuns(curves, kGridPoints)
                                                        : std::vector<CurvePoint>()});
  }
  return figure;
}

}  // namespace

std::vector<std::vector<CurveSample>> GroupCurves(const RunGroup& group, CurveAxis axis, int game) {
  std::vector<std::vector<CurveSample>> curves;
  for (const RunSummary* run : group.runs) curves.push_back(TrainingCurve(*run, axis, game));
  return curves;
}

bool HasCurve(const RunSummary& run, CurveAxis axis) {
  for (int game = 0; game < NumGames(run.config); ++game) {
    if (TrainingCurve(run, axis, game).size() >= 2) return true;
  }
  return false;
}

bool HaveCurves(std::span<const RunGroup> groups, CurveAxis axis, int game) {
  return std::all_of(groups.begin(), groups.end(), [axis, game](const RunGroup& group) {
    const auto curves = GroupCurves(group, axis, game);
    return std::all_of(curves.begin(), curves.end(),
                       [](const auto& curve) { return curve.size() >= 2; });
  });
}

std::vector<std::string> GameLabels(const GameRuns& runs) {
  const std::vector<std::string> games = GamesOf(runs.groups.front().runs.front()->config);
  return games.size() == 1 ? std::vector<std::string>{""} : ShortGameNames(games);
}

LearningCurveGrid MakeCurves(const GameRuns& runs, CurveAxis axis) {
  const std::vector<std::string> labels = GameLabels(runs);
  LearningCurveGrid grid;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    LearningCurveFigure& panel =
        grid.panels.emplace_back(MakePanel(runs, axis, static_cast<int>(i)));
    panel.title = labels.size() == 1 ? runs.environment : labels[i];
  }
  const LearningCurveFigure& first = grid.panels.front();
  grid.title = labels.size() == 1 ? runs.environment
                                  : fmt::format("{}: {}", runs.environment, first.y_label);
  grid.x_label = first.x_label;
  if (labels.size() > 1 && axis == CurveAxis::kFrames) grid.x_label += " of all games together";
  return grid;
}

}  // namespace gorila
