#include "gorila/report/comparison_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "gorila/base/xml.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"
#include "gorila/metrics/number_format.h"
#include "gorila/report/group_curves.h"
#include "gorila/report/run_charts.h"

namespace gorila {
namespace {

// What a caption says of the runs that a picture shows.
struct CurveCounts {
  std::size_t without = 0;  // runs that have no curve
  std::size_t most = 0;     // runs with one in the largest group
  std::size_t least_repeated = std::numeric_limits<std::size_t>::max();  // of those with several
};

CurveCounts CountCurves(std::span<const GameRuns> games, CurveAxis axis) {
  CurveCounts shown;
  for (const GameRuns& game : games) {
    for (const RunGroup& group : game.groups) {
      const auto having = static_cast<std::size_t>(
          std::count_if(group.runs.begin(), group.runs.end(),
                        [&](const auto* run) { return HasCurve(*run, axis); }));
      shown.without += group.runs.size() - having;
      shown.most = std::max(shown.most, having);
      if (having > 1) shown.least_repeated = std::min(shown.least_repeated, having);
    }
  }
  return shown;
}

std::string BandText(const CurveCounts& shown, Statistic statistic) {
  std::string text;
  if (shown.most > 1) {
    text += fmt::format("; lines are the {} of runs, bands its 95 % bootstrap interval over seeds",
                        StatisticName(statistic));
    if (shown.least_repeated < kFewSeeds) {
      text += fmt::format(", rough where they are fewer than {}", kFewSeeds);
    }
  }
  if (shown.without > 0) {
    text += fmt::format("; {} run{} without a curve left out", shown.without,
                        shown.without == 1 ? "" : "s");
  }
  return text;
}

// Of a single run the evaluations too.
StatusOr<std::string> RunFigure(ReportMarkup& markup, const std::string& name,
                                const RunSummary& run) {
  GORILA_ASSIGN_OR_RETURN(const ReportPicture picture,
                          DrawChart(name + "-frames.svg", MakeRunCurve(run.config, run.history)));
  return markup.Figure(picture,
                       fmt::format("{}: training explores, so evaluations may lie above it.",
                                   EscapeXml(GamesLabel(run.config.environment.name))));
}

bool AnyCurve(const GameRuns& game, CurveAxis axis) {
  return CountCurves(std::span(&game, 1), axis).most > 0;
}

// Of the games that have a curve.
StatusOr<std::string> CurveFigure(ReportMarkup& markup, const std::string& name,
                                  std::span<const GameRuns> all, CurveAxis axis,
                                  Statistic statistic) {
  std::vector<GameRuns> games;
  std::copy_if(all.begin(), all.end(), std::back_inserter(games),
               [axis](const GameRuns& game) { return AnyCurve(game, axis); });
  if (games.empty()) return std::string();
  const CurveCounts shown = CountCurves(games, axis);
  if (axis == CurveAxis::kFrames && games.size() == 1 && CountRuns(games.front()) == 1) {
    return RunFigure(markup, name, *games.front().groups.front().runs.front());
  }
  const LearningCurveGrid grid = games.size() == 1 ? MakeCurves(games.front(), axis, statistic)
                                                   : MakeGamePanels(games, axis, statistic);
  GORILA_ASSIGN_OR_RETURN(const ReportPicture picture,
                          DrawChart(fmt::format("{}-{}.svg", name, AxisName(axis)), grid));
  std::string of;
  if (games.size() == 1) of = EscapeXml(games.front().environment) + ": ";
  return markup.Figure(picture, fmt::format("{}training return over {}{}.", of, grid.x_label,
                                            BandText(shown, statistic)));
}

// Says why games have no curve; empty where all have one.
std::string NoCurves(ReportMarkup& markup, std::span<const GameRuns> games, CurveAxis axis) {
  std::vector<std::string> without;
  for (const GameRuns& game : games) {
    if (!AnyCurve(game, axis)) without.push_back(EscapeXml(game.environment));
  }
  if (without.empty()) return "";
  return markup.Paragraph(fmt::format(
      "No curve of {}: it takes two training records with finished episodes in a run's log, which "
      "gets one every run.metrics_every_seconds (a deterministic run's: run.metrics_every_frames).",
      fmt::join(without, ", ")));
}

// One picture each: games in runs of their own together, the others apart.
std::vector<std::vector<GameRuns>> Pictures(std::span<const GameRuns> games) {
  std::vector<std::vector<GameRuns>> pictures;
  std::size_t together = std::string::npos;
  for (const GameRuns& game : games) {
    const bool alone = NumGames(game.groups.front().runs.front()->config) == 1;
    if (alone && together != std::string::npos) {
      pictures[together].push_back(game);
      continue;
    }
    if (alone) together = pictures.size();
    pictures.push_back({game});
  }
  return pictures;
}

// "breakout: deep", "deep" or "breakout".
std::string RowLabel(const std::string& game, const std::string& group) {
  if (game.empty()) return group;
  return group.empty() ? game : fmt::format("{}: {}", game, group);
}

std::string AmountText(CurveAxis axis, double amount) {
  if (axis == CurveAxis::kSeconds) return FormatDuration(amount);
  return fmt::format("{} {}", FormatCount(static_cast<std::uint64_t>(amount)), AxisName(axis));
}

std::string EqualHeading(CurveAxis axis) {
  return axis == CurveAxis::kSeconds ? "At equal wall time"
                                     : fmt::format("At equal {}", AxisName(axis));
}

// What each group's curve of each game is where the shortest of all ends. Empty when fewer than two
// groups have a curve of any of the games.
std::string EqualTerms(ReportMarkup& markup, const GameRuns& runs, CurveAxis axis,
                       const ComparisonOptions& options) {
  double end = std::numeric_limits<double>::infinity();
  std::size_t groups = 0;
  const std::vector<std::string> games = GameLabels(runs);
  for (const RunGroup& group : runs.groups) {
    bool has = false;
    for (std::size_t game = 0; game < games.size(); ++game) {
      for (const auto& curve : GroupCurves(group, axis, static_cast<int>(game))) {
        end = std::min(end, curve.back().x);
        has = true;
      }
    }
    groups += has ? 1 : 0;
  }
  if (groups < 2) return "";
  ReportTable table{{"", "runs",
                     fmt::format("{} of the return after {}", StatisticName(options.statistic),
                                 AmountText(axis, end))}};
  for (std::size_t game = 0; game < games.size(); ++game) {
    for (const RunGroup& group : runs.groups) {
      const auto curves = GroupCurves(group, axis, static_cast<int>(game));
      const Estimate at = EstimateAt(curves, end, options.statistic, options.bootstrap);
      table.rows.push_back({EscapeXml(RowLabel(games[game], group.label)),
                            fmt::format("{}", curves.size()), EstimateText(at)});
    }
  }
  return markup.Table(table);
}

}  // namespace

StatusOr<std::string> CurveSection(ReportMarkup& markup, std::span<const GameRuns> games,
                                   const ComparisonOptions& options, const std::string& stem) {
  const std::vector<std::vector<GameRuns>> pictures = Pictures(games);
  std::string curves;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::string name = pictures.size() == 1 ? stem : fmt::format("{}-{}", stem, i + 1);
    for (const CurveAxis axis : options.axes) {
      GORILA_ASSIGN_OR_RETURN(const std::string figure,
                              CurveFigure(markup, name, pictures[i], axis, options.statistic));
      curves += figure;
    }
  }
  return markup.Section("Learning curves", curves + NoCurves(markup, games, options.axes.front()));
}

std::string ComparisonSection(ReportMarkup& markup, std::span<const GameRuns> games,
                              const ComparisonOptions& options) {
  std::string text;
  for (const GameRuns& game : games) {
    if (game.groups.size() < 2) continue;
    for (const CurveAxis axis : options.axes) {
      const std::string table = EqualTerms(markup, game, axis, options);
      if (table.empty()) continue;
      const std::string of = games.size() > 1 ? ", " + EscapeXml(game.environment) : "";
      text += markup.SubHeading(fmt::format("{}{}", EqualHeading(axis), of));
      text += table;
    }
  }
  if (text.empty()) return "";
  return markup.Section("Comparison",
                        markup.Paragraph("Training return where the shortest run ends. In brackets "
                                         "are 95 % bootstrap intervals over seeds.") +
                            text);
}

}  // namespace gorila
