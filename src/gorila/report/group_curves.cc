#include "gorila/report/group_curves.h"

#include <algorithm>
#include <map>
#include <utility>

#include "gorila/config/games.h"
#include "gorila/metrics/game_names.h"

namespace gorila {
namespace {

constexpr std::size_t kGridPoints = 200;

std::string AxisLabel(CurveAxis axis) {
  switch (axis) {
    case CurveAxis::kFrames:
      return "environment frames";
    case CurveAxis::kUpdates:
      return "updates by learners";
    case CurveAxis::kSeconds:
      break;
  }
  return "time of training";
}

std::string RunsText(std::size_t least, std::size_t most) {
  if (most <= 1) return "";
  return least == most ? fmt::format(", {} runs", most)
                       : fmt::format(", {} to {} runs", least, most);
}

// Without its label.
CurveSeries MakeSeries(const std::vector<std::vector<CurveSample>>& curves, Statistic statistic) {
  return {.label = "", .points = AggregateRuns(curves, kGridPoints, statistic)};
}

LearningCurveFigure EmptyPanel(CurveAxis axis, Statistic statistic) {
  LearningCurveFigure figure;
  figure.x_label = AxisLabel(axis);
  if (axis == CurveAxis::kSeconds) figure.x_unit = AxisUnit::kSeconds;
  figure.y_label = fmt::format("training return, mean of {} episodes", kSmoothedEpisodes);
  if (statistic == Statistic::kInterquartileMean) figure.y_label += ", IQM of runs";
  return figure;
}

LearningCurveFigure MakePanel(const GameRuns& runs, CurveAxis axis, int game, Statistic statistic) {
  LearningCurveFigure figure = EmptyPanel(axis, statistic);
  for (const RunGroup& group : runs.groups) {
    const auto curves = GroupCurves(group, axis, game);
    figure.series.push_back(MakeSeries(curves, statistic));
    figure.series.back().label = group.label + RunsText(curves.size(), curves.size());
  }
  return figure;
}

// What each agent is called, and how many of its runs have a curve in a game; by its number.
struct AgentCurves {
  std::string label;
  std::size_t least = 0, most = 0;
};

std::map<std::size_t, AgentCurves> AgentsIn(std::span<const GameRuns> games, CurveAxis axis) {
  std::map<std::size_t, AgentCurves> agents;
  for (const GameRuns& game : games) {
    for (const RunGroup& group : game.groups) {
      const std::size_t curves = GroupCurves(group, axis, 0).size();
      const auto [agent, is_new] =
          agents.emplace(group.agent, AgentCurves{group.label, curves, curves});
      agent->second.least = std::min(agent->second.least, curves);
      agent->second.most = std::max(agent->second.most, curves);
    }
  }
  // A label that names a game or one of the runs says nothing of the others.
  if (agents.size() == 1 && games.size() > 1) agents.begin()->second.label = "training";
  return agents;
}

}  // namespace

std::vector<std::vector<CurveSample>> GroupCurves(const RunGroup& group, CurveAxis axis, int game) {
  std::vector<std::vector<CurveSample>> curves;
  for (const RunSummary* run : group.runs) {
    std::vector<CurveSample> curve = TrainingCurve(*run, axis, game);
    if (curve.size() >= 2) curves.push_back(std::move(curve));
  }
  return curves;
}

bool HasCurve(const RunSummary& run, CurveAxis axis) {
  for (int game = 0; game < NumGames(run.config); ++game) {
    if (TrainingCurve(run, axis, game).size() >= 2) return true;
  }
  return false;
}

std::vector<std::string> GameLabels(const GameRuns& runs) {
  const std::vector<std::string> games = GamesOf(runs.groups.front().runs.front()->config);
  return games.size() == 1 ? std::vector<std::string>{""} : ShortGameNames(games);
}

LearningCurveGrid MakeCurves(const GameRuns& runs, CurveAxis axis, Statistic statistic) {
  const std::vector<std::string> labels = GameLabels(runs);
  LearningCurveGrid grid;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    LearningCurveFigure& panel =
        grid.panels.emplace_back(MakePanel(runs, axis, static_cast<int>(i), statistic));
    panel.title = labels.size() == 1 ? runs.environment : labels[i];
  }
  const LearningCurveFigure& first = grid.panels.front();
  grid.title = labels.size() == 1 ? runs.environment
                                  : fmt::format("{}: {}", runs.environment, first.y_label);
  grid.x_label = first.x_label;
  if (labels.size() > 1 && axis != CurveAxis::kSeconds) grid.x_label += " of all games together";
  return grid;
}

LearningCurveGrid MakeGamePanels(std::span<const GameRuns> games, CurveAxis axis,
                                 Statistic statistic) {
  const std::map<std::size_t, AgentCurves> agents = AgentsIn(games, axis);
  LearningCurveGrid grid;
  for (const GameRuns& game : games) {
    LearningCurveFigure& panel = grid.panels.emplace_back(EmptyPanel(axis, statistic));
    panel.title = game.environment;
    for (const auto& [number, agent] : agents) {
      const auto group =
          std::find_if(game.groups.begin(), game.groups.end(),
                       [wanted = number](const RunGroup& one) { return one.agent == wanted; });
      panel.series.push_back(group == game.groups.end()
                                 ? CurveSeries{}
                                 : MakeSeries(GroupCurves(*group, axis, 0), statistic));
      panel.series.back().label = agent.label + RunsText(agent.least, agent.most);
    }
  }
  grid.title = grid.panels.front().y_label;
  grid.x_label = grid.panels.front().x_label;
  return grid;
}

StatusOr<std::vector<ComparedCurves>> CompareRuns(std::span<const RunSummary> runs, CurveAxis axis,
                                                  Statistic statistic) {
  std::vector<ComparedCurves> all;
  for (const GameRuns& game : GroupRuns(runs)) {
    for (const RunGroup& group : game.groups) {
      for (const RunSummary* run : group.runs) {
        if (HasCurve(*run, axis)) continue;
        return InvalidArgument("run '{}' has no training returns over {} to draw",
                               run->directory.string(), AxisName(axis));
      }
    }
    all.push_back({game.environment, MakeCurves(game, axis, statistic)});
  }
  return all;
}

}  // namespace gorila
