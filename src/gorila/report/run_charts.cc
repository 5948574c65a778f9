#include "gorila/report/run_charts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/game_list.h"
#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/game_names.h"
#include "gorila/report/group_curves.h"

namespace gorila {
namespace {

constexpr std::size_t kPanelPoints = 150;  // of the mean over runs
// Of a small chart: as wide as a phone's page, so that its texts are as large as they say.
constexpr int kPanelWidth = 340;
constexpr int kPanelHeight = 230;
constexpr int kPhoneHeight = 290;
constexpr int kLegendRow = 18;
constexpr int kMostLegendRows = 8;

std::string FramesLabel(const Config& config) {
  return NumGames(config) > 1 ? "environment frames of all games together" : "environment frames";
}

CurveSeries TrainingSeries(const HistoryCurve& returns) {
  CurveSeries series{.label = fmt::format("training, mean of {} episodes", kSmoothedEpisodes),
                     .points = {}};
  for (const CurveSample& sample : returns.samples()) {
    series.points.push_back({.x = sample.x, .mean = sample.y});
  }
  return series;
}

LearningCurveFigure ReturnFigure(const std::string& title, const HistoryCurve& returns,
                                 std::vector<CurvePoint> evaluations) {
  LearningCurveFigure figure;
  figure.title = title;
  figure.x_label = "environment frames";
  figure.y_label = "return of an episode";
  figure.series.push_back(TrainingSeries(returns));
  figure.series.push_back(
      {.label = "evaluation ± standard error", .points = std::move(evaluations), .dots = true});
  return figure;
}

// A quantity of training records.
struct Quantity {
  std::string_view name;  // in the log
  const char* title;
  const char* y_label;  // with its unit; null: ValueLabel()
  bool zero_is_news;    // else a log that has nothing but zeros gets no chart
};

constexpr std::array<Quantity, kTrainingFigures.size()> kQuantities = {
    {{"loss", "Loss", "mean over minibatches", true},
     {"policy_loss", "Loss of the policy", "mean of -advantage log π", true},
     {"baseline_loss", "Loss of V", "mean of half the squared error", true},
     {"value_mean", "Value", nullptr, true},
     {"gradient_norm", "Gradient norm", "Euclidean norm of a gradient", true},
     {"epsilon", "Exploration", "epsilon, the probability of a random action", false},
     {"entropy", "Entropy of the policy", "nats", true},
     {"staleness_mean", "Staleness", "updates behind, mean since the start", false},
     {"frames_per_second", "Speed", "environment frames per second", true}}};
static_assert(std::equal(kQuantities.begin(), kQuantities.end(), kTrainingFigures.begin(),
                         [](const Quantity& quantity, std::string_view name) {
                           return quantity.name == name;
                         }),
              "each of kTrainingFigures has a row, in the same order");

std::string ValueLabel(const GameRuns& runs) {
  bool policy = false, values = false;
  for (const RunGroup& group : runs.groups) {
    for (const RunSummary* run : group.runs) {
      (ActsByPolicy(run->config) ? policy : values) = true;
    }
  }
  const char* const of = policy && values ? "max Q, of policies V" : policy ? "V" : "max Q";
  return fmt::format("mean of {}, discounted return", of);
}

bool OnlyZeros(const LearningCurveFigure& figure) {
  for (const CurveSeries& series : figure.series) {
    for (const CurvePoint& point : series.points) {
      if (point.mean != 0) return false;
    }
  }
  return true;
}

bool HasPoints(const LearningCurveFigure& figure) {
  return std::any_of(figure.series.begin(), figure.series.end(),
                     [](const CurveSeries& series) { return series.points.size() >= 2; });
}

std::vector<CurveSample> Samples(const std::vector<CurvePoint>& points) {
  std::vector<CurveSample> samples;
  samples.reserve(points.size());
  for (const CurvePoint& point : points) samples.push_back({point.x, point.mean});
  return samples;
}

// `points` of each run that has any: those of one run as they are, of several their mean.
template <typename PointsOf>
std::vector<CurvePoint> GroupPoints(const RunGroup& group, const PointsOf& points_of) {
  std::vector<std::vector<CurveSample>> curves;
  for (const RunSummary* run : group.runs) {
    std::vector<CurvePoint> points = points_of(*run);
    if (group.runs.size() == 1) return points;
    if (points.size() >= 2) curves.push_back(Samples(points));
  }
  return curves.empty() ? std::vector<CurvePoint>()
                        : AggregateRuns(curves, kPanelPoints, Statistic::kMean);
}

LearningCurveFigure EmptyPanel(const GameRuns& runs, std::string title, std::string y_label) {
  LearningCurveFigure figure;
  figure.title = std::move(title);
  figure.x_label = FramesLabel(runs.groups.front().runs.front()->config);
  figure.y_label = std::move(y_label);
  figure.width = kPanelWidth;
  figure.height = kPanelHeight;
  return figure;
}

// Names no group of which there is nothing to see, and makes room for the others' names.
void FitLegend(LearningCurveFigure& figure) {
  int labels = 0;
  for (CurveSeries& series : figure.series) {
    if (series.points.empty()) series.label.clear();
    if (!series.label.empty()) ++labels;
  }
  figure.height += kLegendRow * std::min(labels, kMostLegendRows);
}

// A curve for each group; where there are several runs they are named.
template <typename PointsOf>
void AddGroups(const GameRuns& runs, const PointsOf& points_of, LearningCurveFigure& figure) {
  const bool named = CountRuns(runs) > 1;
  for (const RunGroup& group : runs.groups) {
    CurveSeries series{.label = named ? group.label : std::string(),
                       .points = GroupPoints(group, points_of)};
    // The ranges of several single runs would cover each other.
    if (named && group.runs.size() == 1) {
      for (CurvePoint& point : series.points) point.low = point.high = CurvePoint().low;
    }
    figure.series.push_back(std::move(series));
  }
}

LearningCurveFigure QuantityPanel(const GameRuns& runs, const Quantity& quantity) {
  LearningCurveFigure figure =
      EmptyPanel(runs, quantity.title,
                 quantity.y_label == nullptr ? ValueLabel(runs) : std::string(quantity.y_label));
  AddGroups(
      runs, [&](const RunSummary& run) { return run.history.figure(quantity.name); }, figure);
  FitLegend(figure);
  return figure;
}

std::vector<CurvePoint> EvaluationsOf(const RunSummary& run, std::size_t game) {
  const std::vector<std::string> games = GamesOf(run.config);
  if (games.size() == 1) return run.history.evaluations();
  const GameHistory* const one = run.history.game(games.at(game));
  return one == nullptr ? std::vector<CurvePoint>() : one->evaluations.values();
}

// Of each game.
void AddEvaluationPanels(const GameRuns& runs, std::vector<ChartPanel>& panels) {
  const std::vector<std::string> games = GameLabels(runs);
  for (std::size_t game = 0; game < games.size(); ++game) {
    LearningCurveFigure figure =
        EmptyPanel(runs, games[game].empty() ? "Evaluations" : "Evaluations, " + games[game],
                   "return of an episode");
    for (const RunGroup& group : runs.groups) {
      figure.series.push_back(
          {.label = group.label,
           .points =
               GroupPoints(group, [&](const RunSummary& run) { return EvaluationsOf(run, game); }),
           .dots = group.runs.size() == 1});
    }
    if (!HasPoints(figure)) continue;
    FitLegend(figure);
    const std::string name = games.size() == 1 ? "" : fmt::format("-{}", game + 1);
    panels.push_back({"evaluations" + name, std::move(figure)});
  }
}

LearningCurveFigure ForPhone(LearningCurveFigure figure) {
  const auto labels =
      std::count_if(figure.series.begin(), figure.series.end(),
                    [](const CurveSeries& series) { return !series.label.empty(); });
  figure.width = kPanelWidth;
  figure.height = kPhoneHeight + kLegendRow * std::min(static_cast<int>(labels), kMostLegendRows);
  return figure;
}

}  // namespace

std::size_t CountRuns(const GameRuns& runs) {
  std::size_t count = 0;
  for (const RunGroup& group : runs.groups) count += group.runs.size();
  return count;
}

LearningCurveGrid MakeRunCurve(const Config& config, const RunHistory& history) {
  const std::vector<std::string> games = GamesOf(config);
  const std::string title =
      fmt::format("{}, seed {}", GamesLabel(config.environment.name), config.run.seed);
  LearningCurveGrid grid{
      .title = title + ": return of an episode", .x_label = FramesLabel(config), .panels = {}};
  if (games.size() == 1) {
    grid.panels = {ReturnFigure(title, history.return_over_frames(), history.evaluations())};
    return grid;
  }
  const std::vector<std::string> names = ShortGameNames(games);
  for (std::size_t i = 0; i < games.size(); ++i) {
    const GameHistory none;
    const GameHistory* const logged = history.game(games[i]);
    const GameHistory& game = logged == nullptr ? none : *logged;
    grid.panels.push_back(
        ReturnFigure(names[i], game.return_over_frames, game.evaluations.values()));
  }
  return grid;
}

std::vector<ChartPanel> TrainingPanels(const GameRuns& runs, bool evaluations) {
  std::vector<ChartPanel> panels;
  if (evaluations) AddEvaluationPanels(runs, panels);
  for (const Quantity& quantity : kQuantities) {
    LearningCurveFigure figure = QuantityPanel(runs, quantity);
    if (!HasPoints(figure) || (!quantity.zero_is_news && OnlyZeros(figure))) continue;
    panels.push_back({std::string(quantity.name), std::move(figure)});
  }
  return panels;
}

StatusOr<ReportPicture> DrawChart(const std::string& name, const LearningCurveGrid& grid) {
  LearningCurveGrid wide = grid, narrow = grid;
  wide.most_columns = 2;
  narrow.most_columns = 1;
  if (grid.panels.size() == 1) narrow.panels = {ForPhone(grid.panels.front())};
  ReportPicture picture{.name = name, .bytes = {}};
  GORILA_ASSIGN_OR_RETURN(picture.bytes, RenderLearningCurveSvg(wide));
  GORILA_ASSIGN_OR_RETURN(picture.narrow, RenderLearningCurveSvg(narrow));
  return picture;
}

StatusOr<ReportPicture> DrawPanel(const std::string& name, const LearningCurveFigure& figure) {
  ReportPicture picture{.name = name, .bytes = {}};
  GORILA_ASSIGN_OR_RETURN(picture.bytes, RenderLearningCurveSvg(figure));
  return picture;
}

}  // namespace gorila
