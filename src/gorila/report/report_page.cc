#include "gorila/report/report_page.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "gorila/base/xml.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"
#include "gorila/evaluation/episode_film.h"
#include "gorila/metrics/number_format.h"
#include "gorila/report/aggregate_section.h"
#include "gorila/report/comparison_section.h"
#include "gorila/report/run_charts.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/start_section.h"

namespace gorila {
namespace {

constexpr std::string_view kRunPanels =
    "A line is the mean of the log's records that share a point, its band their range.";
constexpr std::string_view kGroupPanels =
    "A line is a run, or the mean of a group's runs with a 95 % bootstrap interval over runs; a "
    "dot is an evaluation ± its standard error.";

std::string PlusMinus(double mean, double half_width) {
  if (!std::isfinite(half_width)) return FormatDecimal(mean, 2);
  return fmt::format("{} ± {}", FormatDecimal(mean, 2), FormatDecimal(half_width, 2));
}

std::string Count(std::optional<double> number) {
  return number.has_value() ? FormatCount(static_cast<std::uint64_t>(std::max(0.0, *number))) : "–";
}

std::string RunName(const RunSummary& run) {
  return fmt::format("{} <small>{}</small>", EscapeXml(run.label),
                     EscapeXml(run.directory.lexically_normal().string()));
}

StatusOr<std::string> PanelsOf(ReportMarkup& markup, const std::string& stem, const GameRuns& game,
                               bool evaluations) {
  std::vector<ReportPicture> pictures;
  std::vector<std::string> descriptions;
  for (const ChartPanel& panel : TrainingPanels(game, evaluations)) {
    GORILA_ASSIGN_OR_RETURN(pictures.emplace_back(),
                            DrawPanel(fmt::format("{}-{}.svg", stem, panel.name), panel.figure));
    descriptions.push_back(EscapeXml(fmt::format("{}: {} over {}", panel.figure.title,
                                                 panel.figure.y_label, panel.figure.x_label)));
  }
  if (pictures.empty()) return std::string();
  return markup.Panels(pictures, descriptions);
}

// What the logs have beside returns, of each game.
StatusOr<std::string> PanelSections(ReportMarkup& markup, std::span<const GameRuns> games,
                                    const std::string& stem) {
  const bool single = games.size() == 1 && CountRuns(games.front()) == 1;
  std::string panels;
  for (std::size_t i = 0; i < games.size(); ++i) {
    const std::string name = games.size() == 1 ? stem : fmt::format("{}-{}", stem, i + 1);
    GORILA_ASSIGN_OR_RETURN(const std::string of_game, PanelsOf(markup, name, games[i], !single));
    if (of_game.empty()) continue;
    if (games.size() > 1) panels += markup.SubHeading(EscapeXml(games[i].environment));
    panels += of_game;
  }
  if (panels.empty()) return panels;
  return markup.Section("Training", markup.Paragraph(single ? kRunPanels : kGroupPanels) + panels);
}

std::vector<std::string> ScoreRow(const RunSummary& run, const std::string& network,
                                  const EvaluationResult& result, std::optional<double> frames) {
  const double training =
      run.evaluation->context.has_value() ? run.evaluation->context->training_return : std::nan("");
  return {RunName(run),
          EscapeXml(network),
          EscapeXml(result.protocol),
          fmt::format("{}", result.returns.size()),
          fmt::format("<strong>{}</strong>",
                      PlusMinus(result.summary.mean, result.summary.standard_error)),
          FormatDecimal(result.summary.median, 2),
          FormatDecimal(result.summary.minimum, 2),
          FormatDecimal(result.summary.maximum, 2),
          fmt::format("{}", result.epsilon),
          Count(frames),
          std::isfinite(training) ? FormatDecimal(training, 2) : "–"};
}

// Of several games the aggregate, then a row each.
void AddResultRows(const RunSummary& run, const std::string& network,
                   const EvaluationResult& result, std::optional<double> frames,
                   ReportTable& table) {
  const std::string what = result.games.empty() ? "" : fmt::format("; {}", result.aggregate);
  table.rows.push_back(ScoreRow(run, network + what, result, frames));
  for (const EvaluationResult& game : result.games) {
    table.rows.push_back(ScoreRow(run, fmt::format("{}; {}", network, game.game), game, frames));
  }
}

// The score, and the last network's where that is another.
void AddScoreRows(const RunSummary& run, ReportTable& table) {
  const EvaluationRecord& record = *run.evaluation;
  const bool known = record.context.has_value();
  AddResultRows(run, known ? DescribeNetwork(*record.context) : "–", record.result, record.frames,
                table);
  if (!known || !record.context->last.has_value()) return;
  AddResultRows(run, "last", *record.context->last,
                static_cast<double>(record.context->last_frames), table);
}

std::string ScoreSection(ReportMarkup& markup, std::span<const RunSummary> runs) {
  ReportTable table{{"run", "network", "protocol", "episodes", "mean ± standard error", "median",
                     "minimum", "maximum", "epsilon", "after frames", "training return"}};
  std::string warnings;
  for (const RunSummary& run : runs) {
    if (!run.evaluation.has_value()) {
      std::vector<std::string> row(table.headings.size(), "–");
      row[0] = RunName(run);
      row[1] = "not finished";
      table.rows.push_back(std::move(row));
      continue;
    }
    AddScoreRows(run, table);
    if (!run.evaluation->context.has_value()) continue;
    for (const std::string& warning :
         ScoreWarnings(run.evaluation->result, *run.evaluation->context)) {
      warnings += markup.Paragraph(fmt::format("<strong>Warning</strong>, {}: {}",
                                               EscapeXml(run.label), EscapeXml(warning)));
    }
  }
  return markup.Section("Final evaluation", markup.Table(table) + warnings);
}

std::string EvaluationText(const CurvePoint& evaluation) {
  return PlusMinus(evaluation.mean, evaluation.high - evaluation.mean);
}

// The training of each game in runs with several; empty without such a run.
std::string GameSection(ReportMarkup& markup, std::span<const RunSummary> runs) {
  ReportTable table{
      {"run", "game", "frames", "episodes", "training return", "highest", "last evaluation"}};
  for (const RunSummary& run : runs) {
    if (NumGames(run.config) == 1) continue;
    for (const std::string& name : GamesOf(run.config)) {
      const GameHistory none;
      const GameHistory* const logged = run.history.game(name);
      const GameHistory& game = logged == nullptr ? none : *logged;
      const auto& evaluations = game.evaluations;
      table.rows.push_back({RunName(run), EscapeXml(name), Count(game.frames), Count(game.episodes),
                            FormatDecimal(game.return_over_frames.last(), 2),
                            FormatDecimal(game.return_over_frames.highest(), 2),
                            evaluations.empty() ? "–" : EvaluationText(evaluations.last())});
    }
  }
  if (table.rows.empty()) return "";
  return markup.Section(
      "Games", markup.Paragraph(fmt::format(
                   "Training returns are means of {} episodes of the game.", kSmoothedEpisodes)) +
                   markup.Table(table));
}

// "sampled actions, epsilon 0.1": how the agent of a score acts.
std::string ActingText(const EvaluationResult& result) {
  if (result.act == ActBy::kArgmax) return fmt::format("epsilon {}", result.epsilon);
  return result.epsilon > 0 ? fmt::format("sampled actions, epsilon {}", result.epsilon)
                            : "sampled actions";
}

// Which network plays, and how; a film has no more than its first frames.
std::string FilmCaption(const RunSummary& run) {
  std::string caption = fmt::format("seed {}", run.config.run.seed);
  if (!run.evaluation.has_value()) return caption;
  const auto& context = run.evaluation->context;
  if (context.has_value()) caption += fmt::format(", network: {}", DescribeNetwork(*context));
  return caption + fmt::format(", {}; at most {} frames", ActingText(run.evaluation->result),
                               kMostFilmFrames);
}

std::string FilmSection(ReportMarkup& markup, const std::string& stem,
                        std::span<const RunGroup> groups) {
  std::string films;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const RunGroup& group = groups[i];
    const auto found = std::find_if(group.runs.begin(), group.runs.end(),
                                    [](const RunSummary* run) { return !run->film.empty(); });
    if (found == group.runs.end()) continue;
    const std::string label = EscapeXml(group.label);
    films += markup.Film(
        {.name = fmt::format("{}-episode-{}.gif", stem, i + 1), .bytes = (*found)->film},
        fmt::format("An episode of {}, played by the trained network", label),
        fmt::format("{}, {}", label, EscapeXml(FilmCaption(**found))));
  }
  return films.empty() ? "" : markup.Section("The agent", films);
}

std::string CounterSection(ReportMarkup& markup, std::span<const RunSummary> runs) {
  ReportTable table{{"run", "frames", "updates", "episodes", "accepted", "stale", "outlier",
                     "invalid", "mean staleness", "bottleneck"}};
  for (const RunSummary& run : runs) {
    table.rows.push_back(
        {RunName(run), Count(run.history.Last("frames")), Count(run.history.Last("updates")),
         Count(run.history.Last("episodes")), Count(run.history.Last("gradients_accepted")),
         Count(run.history.Last("gradients_stale")), Count(run.history.Last("gradients_outlier")),
         Count(run.history.Last("gradients_invalid")),
         FormatDecimal(run.history.Last("staleness_mean").value_or(std::nan("")), 2),
         EscapeXml(run.history.bottleneck().value_or("–"))});
  }
  return markup.Section("Counters", markup.Table(table));
}

std::string CostSection(ReportMarkup& markup, std::span<const RunSummary> runs) {
  ReportTable table{
      {"run", "wall time", "core hours", "joules", "frames a core second", "machine"}};
  bool joules_missing = false;
  for (const RunSummary& run : runs) {
    const double frames = run.history.Last("frames").value_or(std::nan(""));
    const double cpu = run.cpu_seconds.value_or(std::nan(""));
    joules_missing |= !run.joules.has_value();
    table.rows.push_back(
        {RunName(run), run.seconds.has_value() ? FormatDuration(*run.seconds) : "–",
         FormatDecimal(cpu / 3600, 3),
         run.joules.has_value() ? FormatRate(*run.joules) : "not measured",
         FormatRate(frames / cpu), EscapeXml(run.machine.empty() ? "–" : run.machine)});
  }
  std::string text =
      markup.Paragraph(
          "Of training, periodic evaluations included. Core hours are processor time of all the "
          "run's processes; joules are of all the machine's processors, whatever else ran on "
          "them.") +
      markup.Table(table);
  if (joules_missing) {
    text += markup.Paragraph(
        "Not measured: the machine has no energy counters (RAPL) or does not let the program read "
        "them.");
  }
  return markup.Section("Cost", text);
}

// The values of a group's runs, "1, 2, 3"; one where they agree.
std::string ValuesOf(const RunGroup& group, const ConfigKey& key) {
  std::vector<std::string> values;
  for (const RunSummary* run : group.runs) values.push_back(ValueText(key.field, run->config));
  if (std::set(values.begin(), values.end()).size() == 1) values.resize(1);
  return fmt::format("{}", fmt::join(values, ", "));
}

// The keys in which runs differ, a column for each group.
ReportTable DifferenceTable(std::span<const RunSummary> runs, std::span<const RunGroup> groups) {
  std::vector<std::string> headings = {"key"};
  for (const RunGroup& group : groups) headings.push_back(EscapeXml(group.label));
  ReportTable differences{std::move(headings)};
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string first = ValueText(key.field, runs.front().config);
    const bool differs = std::any_of(runs.begin(), runs.end(), [&](const RunSummary& run) {
      return ValueText(key.field, run.config) != first;
    });
    if (!differs) continue;
    std::vector<std::string> cells = {fmt::format("<code>{}</code>", key.name)};
    for (const RunGroup& group : groups) cells.push_back(EscapeXml(ValuesOf(group, key)));
    differences.rows.push_back(std::move(cells));
  }
  return differences;
}

// Where runs differ, then everything of one run a group.
std::string ConfigurationSection(ReportMarkup& markup, std::span<const RunSummary> runs,
                                 std::span<const RunGroup> groups) {
  const ReportTable differences = DifferenceTable(runs, groups);
  std::string text;
  if (!differences.rows.empty())
    text += markup.SubHeading("Where runs differ") + markup.Table(differences);
  for (const RunGroup& group : groups) {
    const RunSummary& run = *group.runs.front();
    std::vector<std::string> pre;
    if (!run.command.empty()) pre.push_back(run.command);
    pre.push_back(ToToml(run.config));
    text += markup.Details(
        fmt::format("Every setting of {}, seed {}", EscapeXml(group.label), run.config.run.seed),
        pre);
  }
  return markup.Section("Configuration", text);
}

std::string Summary(std::span<const RunSummary> runs) {
  std::vector<std::string> environments, versions;
  for (const RunSummary& run : runs) {
    environments.push_back(GamesLabel(run.config.environment.name));
    if (!run.version.empty()) versions.push_back("gorila " + run.version);
  }
  for (auto* names : {&environments, &versions}) {
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
  }
  std::string text = fmt::format("{} run{} on {}", runs.size(), runs.size() == 1 ? "" : "s",
                                 fmt::join(environments, ", "));
  if (!versions.empty()) text += fmt::format(" · {}", fmt::join(versions, ", "));
  return EscapeXml(text);
}

std::string Games(std::span<const GameRuns> games) {
  std::string names;
  for (const GameRuns& game : games) names += (names.empty() ? "" : ", ") + game.environment;
  return names;
}

// Of all games; where there are several the labels name them.
std::vector<RunGroup> AllGroups(std::span<const GameRuns> games) {
  std::vector<RunGroup> all;
  for (const GameRuns& game : games) {
    for (RunGroup group : game.groups) {
      if (games.size() > 1 && group.label != game.environment) {
        group.label = fmt::format("{}: {}", game.environment, group.label);
      }
      all.push_back(std::move(group));
    }
  }
  return all;
}

StatusOr<std::string> Render(ReportMarkup& markup, std::span<const RunSummary> runs,
                             const std::string& title, const ComparisonOptions& options,
                             const std::string& stem) {
  if (runs.empty()) return InvalidArgument("a report needs at least one run");
  const std::vector<GameRuns> games = GroupRuns(runs);
  GORILA_RETURN_IF_ERROR(CheckBaseline(games, options.baseline));
  const std::vector<RunGroup> groups = AllGroups(games);
  const std::string heading = EscapeXml(!title.empty() ? title : "Training on " + Games(games));
  std::string text = GroupSection(markup, games, options);
  GORILA_ASSIGN_OR_RETURN(const std::string aggregates,
                          AggregateSection(markup, games, options, stem));
  text += aggregates;
  text += ScoreSection(markup, runs);
  text += GameSection(markup, runs);
  GORILA_ASSIGN_OR_RETURN(const std::string curves, CurveSection(markup, games, options, stem));
  text += curves;
  GORILA_ASSIGN_OR_RETURN(const std::string panels, PanelSections(markup, games, stem));
  text += panels;
  text += FilmSection(markup, stem, groups);
  text += ComparisonSection(markup, games, options);
  text += CounterSection(markup, runs);
  text += CostSection(markup, runs);
  text += StartSection(markup, runs);
  text += ConfigurationSection(markup, runs, groups);
  return markup.Document(heading, Summary(runs), text);
}

}  // namespace

StatusOr<std::string> RenderHtmlReport(std::span<const RunSummary> runs, const std::string& title,
                                       const ComparisonOptions& options) {
  return Render(*MakeHtmlMarkup(), runs, title, options, "curve");
}

StatusOr<MarkdownReport> RenderMarkdownReport(std::span<const RunSummary> runs,
                                              const std::string& title, const std::string& stem,
                                              const ComparisonOptions& options) {
  MarkdownReport report;
  GORILA_ASSIGN_OR_RETURN(report.text,
                          Render(*MakeMarkdownMarkup(report.pictures), runs, title, options, stem));
  return report;
}

}  // namespace gorila
