#include "gorila/report/run_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/report_files.h"
#include "gorila/report/report_page.h"
#include "gorila/report/run_charts.h"
#include "gorila/report/run_history.h"
#include "gorila/report/run_summary.h"
#include "gorila/run/run_starts.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

Status WriteCurve(const fs::path& directory, const Config& config, const RunHistory& history) {
  const LearningCurveGrid grid = MakeRunCurve(config, history);
  GORILA_RETURN_IF_ERROR(WriteLearningCurve(directory / "curve.png", grid));
  return WriteLearningCurve(directory / "curve.svg", grid);
}

// What training was of each of several games.
std::vector<ReportGame> ReportGames(const Config& config, const RunHistory& history) {
  std::vector<ReportGame> games;
  if (NumGames(config) == 1) return games;
  for (const std::string& name : GamesOf(config)) {
    ReportGame& game = games.emplace_back(ReportGame{.name = name});
    const GameHistory* const logged = history.game(name);
    if (logged == nullptr) continue;
    game.frames = static_cast<std::uint64_t>(logged->frames);
    game.episodes = static_cast<std::uint64_t>(logged->episodes);
    game.training_return = logged->return_over_frames.last();
    game.highest_training_return = logged->return_over_frames.highest();
    if (logged->evaluations.empty()) continue;
    game.evaluation = logged->evaluations.last().mean;
  }
  return games;
}

EvaluationReport ReportEvaluation(const EvaluationResult& result, const std::string& network) {
  return {.network = network,
          .protocol = result.protocol,
          .episodes = result.returns.size(),
          .mean = result.summary.mean,
          .standard_error = result.summary.standard_error,
          .minimum = result.summary.minimum,
          .maximum = result.summary.maximum,
          .median = result.summary.median,
          .sticky_actions = result.sticky_actions.value_or(std::nan("")),
          .epsilon = result.epsilon};
}

// Of several games a row each, after that of the aggregate, whose network says what it is.
void AddReports(const EvaluationResult& result, const std::string& network,
                std::vector<EvaluationReport>& evaluations) {
  const std::string what = result.games.empty() ? "" : fmt::format("; {}", result.aggregate);
  evaluations.push_back(ReportEvaluation(result, network + what));
  for (const EvaluationResult& game : result.games) {
    evaluations.push_back(ReportEvaluation(game, fmt::format("{}; {}", network, game.game)));
  }
}

std::vector<EvaluationReport> ReportEvaluations(const EvaluationRecord& record) {
  std::vector<EvaluationReport> evaluations;
  AddReports(record.result, DescribeNetwork(*record.context), evaluations);
  if (record.context->last.has_value()) AddReports(*record.context->last, "last", evaluations);
  return evaluations;
}

std::vector<ReportFile> ReportFiles() {
  return {{"all of this and more as a page", "report.html"},
          {"configuration, every key", "config.toml"},
          {"log of the training", "metrics.jsonl"},
          {"the same for TensorBoard", "tensorboard"},
          {"every command that trained it", kStartsFile},
          {"learning curve", "curve.svg"},
          {"an episode of the final network", "episode.gif"},
          {"final network", "final.safetensors"},
          {"final evaluation, every return", kEvaluationFile},
          {"checkpoints", "checkpoints"}};
}

RunReport MakeReport(const Config& config, const ProgressSnapshot& seen,
                     const EvaluationRecord& record, const RunReportSource& source,
                     std::vector<ReportGame> games) {
  const auto rate = [&](std::uint64_t count) {
    return seen.seconds_elapsed > 0 ? static_cast<double>(count) / seen.seconds_elapsed : 0.0;
  };
  return {
      .command = source.command,
      .version = source.version,
      .seed = config.run.seed,
      .environment = config.environment.name,
      .machine = source.machine,
      .wall_seconds = seen.seconds_elapsed,
      .cpu_seconds = seen.cpu_seconds,
      .joules = seen.joules,
      .frames = seen.frames,
      .updates = seen.updates,
      .frames_per_second = rate(seen.frames),
      .updates_per_second = rate(seen.updates),
      .evaluations = ReportEvaluations(record),
      .training_return = record.context->training_return,
      .warnings = ScoreWarnings(record.result, *record.context),
      .games = std::move(games),
      .counters = {{"training episodes", seen.episodes},
                   {"accepted gradients", seen.accepted},
                   {"stale gradients", seen.stale},
                   {"outlier gradients", seen.outliers},
                   {"invalid gradients", seen.invalid},
                   {"skipped evaluations", static_cast<std::uint64_t>(record.context->skipped)}},
      .files = ReportFiles(),
      .curve_picture = "curve.png"};
}

// The page about this run alone; it reads the other files.
Status WriteHtmlReport(const fs::path& directory, RunHistory history) {
  const LabelledRun labelled{DefaultLabel(directory), directory};
  GORILA_ASSIGN_OR_RETURN(const RunSummary run, ReadRun(labelled, std::move(history)));
  const std::string title =
      fmt::format("{}, seed {}", GamesLabel(run.config.environment.name), run.config.run.seed);
  GORILA_ASSIGN_OR_RETURN(const std::string html, RenderHtmlReport(std::span(&run, 1), title));
  return WriteFileAtomically(directory / "report.html", html);
}

ScoreContext MakeContext(const TrainingOutcome& outcome, const RunHistory& history) {
  const RunScore& score = outcome.score;
  const HistoryCurve& returns = history.return_over_frames();
  ScoreContext context = {.evaluations = score.evaluations,
                          .skipped = score.skipped,
                          .last = score.last,
                          .last_frames = score.last_frames,
                          .training_epsilon = history.epsilon_over_frames().last(),
                          .problem = outcome.problem};
  // Those of several games are in points, their score is not.
  if (!score.evaluation.games.empty()) return context;
  context.first_training_return = returns.first();
  context.highest_training_return = returns.highest();
  context.training_return = returns.last();
  return context;
}

}  // namespace

Status WriteRunReport(const fs::path& directory, const Config& config,
                      const TrainingOutcome& outcome, const RunReportSource& source) {
  RunHistory history;
  Status status = ReadRunHistory(directory / "metrics.jsonl", history);
  const EvaluationRecord record{.environment = config.environment.name,
                                .seed = FinalEvaluationSeed(config),
                                .frames = outcome.score.frames,
                                .result = outcome.score.evaluation,
                                .context = MakeContext(outcome, history)};
  status.Update(WriteCurve(directory, config, history));
  status.Update(WriteReport(directory, MakeReport(config, outcome.progress, record, source,
                                                  ReportGames(config, history))));
  status.Update(WriteFileAtomically(directory / kEvaluationFile, EncodeEvaluation(record)));
  status.Update(WriteHtmlReport(directory, std::move(history)));
  return status;
}

}  // namespace gorila
