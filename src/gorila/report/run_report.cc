#include "gorila/report/run_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/evaluation/protocol_label.h"
#include "gorila/metrics/report.h"
#include "gorila/report/run_charts.h"
#include "gorila/report/run_history.h"
#include "gorila/report/run_summary.h"
#include "gorila/report/runs_report.h"
#include "gorila/run/run_starts.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kEvaluationFile = "evaluation.json";

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

Json LastScore(const EvaluationResult& result) {
  return {{"steps", result.steps},
          {"mean", result.summary.mean},
          {"standard_error", result.summary.standard_error},
          {"returns", result.returns}};
}

void ReadLastScore(const Json& json, EvaluationResult& result) {
  result.steps = json.at("steps");
  result.returns = json.at("returns").get<std::vector<double>>();
  result.summary = SummariseReturns(result.returns);
}

// Beside what older versions wrote, which still read the rest.
void AddContext(const ScoreContext& context, const EvaluationResult& score, Json& json) {
  json["evaluations"] = context.evaluations;
  json["skipped_evaluations"] = context.skipped;
  if (context.last.has_value()) {
    json["last"] = {{"frames", context.last_frames}};
    json["last"].update(LastScore(*context.last));
    for (const EvaluationResult& game : context.last->games) {
      Json of_game = {{"environment", game.game}};
      of_game.update(LastScore(game));
      json["last"]["games"].push_back(std::move(of_game));
    }
  }
  json["first_training_return"] = context.first_training_return;
  json["highest_training_return"] = context.highest_training_return;
  json["training_return"] = context.training_return;
  json["training_epsilon"] = context.training_epsilon;
  json["problem"] = context.problem;
  json["warnings"] = ScoreWarnings(score, context);
}

// Of a number that was not finite, NaN.
double ReadReal(const Json& json, const char* name) {
  return json.at(name).is_null() ? std::nan("") : json.at(name).get<double>();
}

// Older versions knew no other way than argmax.
StatusOr<ActBy> ReadAct(const Json& json) {
  const std::string name = json.value("act", std::string(ActName(ActBy::kArgmax)));
  const std::optional<ActBy> act = ActOfName(name);
  if (!act.has_value()) return DataLoss("act is '{}'; expected sample or argmax", name);
  return *act;
}

ScoreContext ReadContext(const Json& json, const EvaluationResult& score) {
  ScoreContext context;
  context.evaluations = json.at("evaluations");
  context.skipped = json.at("skipped_evaluations");
  if (json.contains("last")) {
    const Json& last = json["last"];
    context.last = score;  // the same protocol
    ReadLastScore(last, *context.last);
    for (std::size_t i = 0; i < context.last->games.size(); ++i) {
      ReadLastScore(last.at("games").at(i), context.last->games[i]);
    }
    context.last_frames = last.at("frames");
  }
  context.first_training_return = ReadReal(json, "first_training_return");
  context.highest_training_return = ReadReal(json, "highest_training_return");
  context.training_return = ReadReal(json, "training_return");
  if (json.contains("training_epsilon")) {
    context.training_epsilon = ReadReal(json, "training_epsilon");
  }
  context.problem = json.at("problem");
  return context;
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

Json EncodeResult(const EvaluationRecord& record, const std::string& environment,
                  const EvaluationResult& result) {
  Json json = {{"environment", environment},         {"protocol", result.protocol},
               {"protocol_version", result.version}, {"epsilon", result.epsilon},
               {"act", ActName(result.act)},         {"seed", record.seed},
               {"episodes", result.returns.size()},  {"steps", result.steps}};
  if (result.sticky_actions.has_value()) json["sticky_actions"] = *result.sticky_actions;
  if (record.frames.has_value()) json["frames"] = *record.frames;
  json["mean"] = result.summary.mean;
  json["standard_error"] = result.summary.standard_error;
  json["minimum"] = result.summary.minimum;
  json["median"] = result.summary.median;
  json["maximum"] = result.summary.maximum;
  json["returns"] = result.returns;
  return json;
}

StatusOr<EvaluationResult> DecodeResult(const Json& json, const std::string& environment) {
  EvaluationResult result;
  result.version = json.value("protocol_version", 1);
  result.epsilon = json.at("epsilon");
  GORILA_ASSIGN_OR_RETURN(result.act, ReadAct(json));
  result.protocol = RecordedProtocolLabel(json.at("protocol").get<std::string>(), result.epsilon,
                                          result.act, environment);
  if (json.contains("sticky_actions")) result.sticky_actions = json["sticky_actions"].get<double>();
  result.steps = json.at("steps");
  result.returns = json.at("returns").get<std::vector<double>>();
  result.summary = SummariseReturns(result.returns);
  return result;
}

StatusOr<EvaluationResult> DecodeResults(const Json& json, const std::string& environment) {
  GORILA_ASSIGN_OR_RETURN(EvaluationResult result, DecodeResult(json, environment));
  if (!json.contains("games")) return result;
  result.aggregate = json.at("aggregate");
  for (const Json& game : json["games"]) {
    const std::string name = game.at("environment");
    GORILA_ASSIGN_OR_RETURN(result.games.emplace_back(), DecodeResult(game, name));
    result.games.back().game = name;
  }
  return result;
}

}  // namespace

EvaluationRecord RecordOfGame(const EvaluationRecord& record, int game) {
  if (record.result.games.empty()) return record;
  const auto place = static_cast<std::size_t>(game);
  EvaluationRecord one = record;
  one.result = record.result.games[place];
  one.environment = one.result.game;
  if (record.context.has_value() && record.context->last.has_value()) {
    one.context->last = record.context->last->games[place];
  }
  return one;
}

std::string EncodeEvaluation(const EvaluationRecord& record) {
  const EvaluationResult& result = record.result;
  Json json = EncodeResult(record, record.environment, result);
  if (!result.games.empty()) json["aggregate"] = result.aggregate;
  for (const EvaluationResult& game : result.games) {
    json["games"].push_back(EncodeResult(record, game.game, game));
  }
  if (record.context.has_value()) AddContext(*record.context, result, json);
  return DumpJson(json) + "\n";
}

StatusOr<EvaluationRecord> DecodeEvaluation(const std::string& text) {
  try {
    const Json json = ParseJsonOrThrow<Json>(text);
    EvaluationRecord record;
    record.environment = json.at("environment");
    record.seed = json.at("seed");
    if (json.contains("frames")) record.frames = json.at("frames").get<std::int64_t>();
    GORILA_ASSIGN_OR_RETURN(record.result, DecodeResults(json, record.environment));
    if (json.contains("evaluations")) record.context = ReadContext(json, record.result);
    return record;
  } catch (const nlohmann::json::exception& error) {
    return DataLoss("{}", error.what());
  }
}

std::string DescribeScore(const EvaluationResult& result) {
  return fmt::format("{} (protocol {}, {} episodes{})", DescribeMean(result.summary),
                     result.protocol, result.summary.count, PerGame(result));
}

std::vector<std::string> DescribeGames(const EvaluationResult& result) {
  std::size_t width = 0;
  for (const EvaluationResult& game : result.games) width = std::max(width, game.game.size());
  std::vector<std::string> lines;
  for (const EvaluationResult& game : result.games) {
    lines.push_back(fmt::format("{:<{}}  {:>16}   {}", game.game, width, DescribeMean(game.summary),
                                DescribeRange(game)));
  }
  return lines;
}

std::string DescribeRange(const EvaluationResult& result) {
  return fmt::format("minimum {:.2f}, median {:.2f}, maximum {:.2f}", result.summary.minimum,
                     result.summary.median, result.summary.maximum);
}

std::string_view AxisName(CurveAxis axis) {
  return axis == CurveAxis::kFrames    ? "frames"
         : axis == CurveAxis::kUpdates ? "updates"
                                       : "seconds";
}

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

StatusOr<EvaluationRecord> ReadEvaluation(const fs::path& path) {
  GORILA_ASSIGN_OR_RETURN(const std::string text, ReadFileOf(kResultFile, path));
  StatusOr<EvaluationRecord> record = DecodeEvaluation(text);
  if (!record.ok()) return Annotate(record.status(), path.string());
  return record;
}

StatusOr<EvaluationRecord> ReadFinalEvaluation(const fs::path& directory) {
  return ReadEvaluation(directory / kEvaluationFile);
}

}  // namespace gorila
