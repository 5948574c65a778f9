#include "gorila/report/evaluation_record.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/evaluation/protocol_label.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

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
