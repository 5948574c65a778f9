#include "gorila/report/checkpoint_curve.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "gorila/base/csv.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/config/config_keys.h"
#include "gorila/env/game_list.h"
#include "gorila/evaluation/games_evaluation.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kEvaluationsFile = "evaluations.json";
constexpr std::array<std::string_view, 5> kEvaluationKeys = {
    "evaluation.protocol", "evaluation.epsilon", "evaluation.act", "evaluation.starts",
    "evaluation.episodes"};
// Where an environment is found and how its processes are run.
constexpr std::array<std::string_view, 6> kNoSettings = {
    "environment.python",       "environment.python_path",   "environment.per_worker",
    "environment.step_seconds", "environment.start_seconds", "atari.rom_folder"};

bool Decides(const ConfigKey& key) {
  const auto has = [&](const auto& names) {
    return std::find(names.begin(), names.end(), key.name) != names.end();
  };
  if (key.section() == "evaluation") return has(kEvaluationKeys);
  return (key.section() == "environment" || key.section() == "atari") && !has(kNoSettings);
}

Json ToJson(const CheckpointCurve& curve) {
  Json json = {{"settings", curve.settings}, {"evaluations", Json::array()}};
  for (const CheckpointEvaluation& each : curve.evaluations) {
    json["evaluations"].push_back(
        {{"networks", each.networks},
         {"frames", each.frames},
         {"crc32", each.crc32},
         {"evaluation", ParseJsonOrThrow<Json>(EncodeEvaluation(each.record))}});
  }
  return json;
}

StatusOr<CheckpointCurve> FromJson(const Json& json) {
  CheckpointCurve curve{.settings = json.at("settings").get<CurveSettings>()};
  for (const Json& each : json.at("evaluations")) {
    CheckpointEvaluation evaluation{.networks = each.at("networks").get<std::vector<std::string>>(),
                                    .frames = each.at("frames"),
                                    .crc32 = each.at("crc32"),
                                    .record = {}};
    GORILA_ASSIGN_OR_RETURN(evaluation.record, DecodeEvaluation(DumpJson(each.at("evaluation"))));
    curve.Add(std::move(evaluation));
  }
  return curve;
}

StatusOr<std::vector<CheckpointCurve>> DecodeCurves(const std::string& text) {
  try {
    const Json json = ParseJsonOrThrow<Json>(text);
    std::vector<CheckpointCurve> curves;
    for (const Json& each : json.at("curves")) {
      GORILA_ASSIGN_OR_RETURN(curves.emplace_back(), FromJson(each));
    }
    return curves;
  } catch (const nlohmann::json::exception& error) {
    return DataLoss("{}", error.what());
  }
}

std::string CsvLine(const CheckpointEvaluation& each, const std::string& game,
                    const EvaluationResult& result) {
  const ReturnSummary& summary = result.summary;
  return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", each.frames,
                     CsvCell(fmt::format("{}", fmt::join(each.networks, " "))), CsvCell(game),
                     CsvCell(result.protocol), result.returns.size(), summary.mean,
                     summary.standard_error, summary.minimum, summary.median, summary.maximum);
}

// `result`: of an evaluation, all of it or one of its games.
template <typename Result>
LearningCurveFigure DrawPanel(const CheckpointCurve& curve, const std::string& title,
                              Result result) {
  LearningCurveFigure figure;
  figure.title = title;
  figure.x_label = "environment frames";
  const EvaluationResult& first = curve.evaluations.front().record.result;
  figure.y_label = fmt::format("return ({}, {} episodes{})", first.protocol, first.returns.size(),
                               PerGame(first));
  CurveSeries series{.label = "evaluation, mean ± standard error", .points = {}};
  for (const CheckpointEvaluation& each : curve.evaluations) {
    const ReturnSummary& summary = result(each.record.result).summary;
    series.points.push_back({.x = static_cast<double>(each.frames),
                             .mean = summary.mean,
                             .low = summary.mean - summary.standard_error,
                             .high = summary.mean + summary.standard_error});
  }
  figure.series.push_back(std::move(series));
  return figure;
}

}  // namespace

CurveSettings CurveSettingsOf(const Config& config, std::uint64_t seed) {
  CurveSettings settings = {{"seed", std::to_string(seed)}};
  for (const ConfigKey& key : ConfigKeys()) {
    if (Decides(key)) settings.emplace(key.name, ValueText(key.field, config));
  }
  return settings;
}

const CheckpointEvaluation* CheckpointCurve::Find(const std::string& crc32) const {
  const auto found = std::find_if(
      evaluations.begin(), evaluations.end(),
      [&](const CheckpointEvaluation& evaluation) { return evaluation.crc32 == crc32; });
  return found == evaluations.end() ? nullptr : &*found;
}

void CheckpointCurve::Name(const std::string& network, const std::string& crc32) {
  for (CheckpointEvaluation& each : evaluations) {
    const auto place = std::find(each.networks.begin(), each.networks.end(), network);
    if (each.crc32 == crc32) {
      if (place == each.networks.end()) each.networks.push_back(network);
    } else if (place != each.networks.end()) {
      each.networks.erase(place);
    }
  }
  std::erase_if(evaluations,
                [](const CheckpointEvaluation& evaluation) { return evaluation.networks.empty(); });
}

void CheckpointCurve::Add(CheckpointEvaluation evaluation) {
  const auto after = std::upper_bound(
      evaluations.begin(), evaluations.end(), evaluation.frames,
      [](std::int64_t frames, const CheckpointEvaluation& each) { return frames < each.frames; });
  evaluations.insert(after, std::move(evaluation));
}

std::string EncodeCheckpointCurve(const CheckpointCurve& curve) {
  return DumpJson(ToJson(curve)) + "\n";
}

std::string CheckpointCurveCsv(const CheckpointCurve& curve) {
  std::string text =
      "frames,network,game,protocol,episodes,mean,standard_error,minimum,median,maximum\n";
  for (const CheckpointEvaluation& each : curve.evaluations) {
    const EvaluationResult& result = each.record.result;
    text +=
        CsvLine(each, result.games.empty() ? each.record.environment : result.aggregate, result);
    for (const EvaluationResult& game : result.games) text += CsvLine(each, game.game, game);
  }
  return text;
}

LearningCurveGrid DrawCheckpointCurve(const CheckpointCurve& curve) {
  const EvaluationRecord& first = curve.evaluations.front().record;
  const std::string title = GamesLabel(first.environment) + ": all checkpoints";
  LearningCurveGrid grid{.title = title, .x_label = "environment frames", .panels = {}};
  const std::vector<EvaluationResult>& games = first.result.games;
  if (games.empty()) {
    const auto whole = [](const EvaluationResult& all) -> const EvaluationResult& { return all; };
    grid.panels = {DrawPanel(curve, title, whole)};
  }
  for (std::size_t i = 0; i < games.size(); ++i) {
    const auto of_game = [i](const EvaluationResult& all) -> const EvaluationResult& {
      return all.games[i];
    };
    grid.panels.push_back(DrawPanel(curve, games[i].game, of_game));
  }
  return grid;
}

StatusOr<CheckpointCurves> CheckpointCurves::Open(const fs::path& run) {
  CheckpointCurves curves(run / "all-checkpoints");
  const fs::path file = curves.folder_ / kEvaluationsFile;
  const StatusOr<std::string> text = ReadFileOf(kResultFile, file);
  if (absl::IsNotFound(text.status())) return curves;
  GORILA_RETURN_IF_ERROR(text.status());
  StatusOr<std::vector<CheckpointCurve>> read = DecodeCurves(*text);
  if (!read.ok()) {
    return DataLoss("'{}': {}; remove it to evaluate all again", file.string(),
                    std::string(read.status().message()));
  }
  curves.curves_ = *std::move(read);
  return curves;
}

CheckpointCurve& CheckpointCurves::Choose(const CurveSettings& settings) {
  auto found = std::find_if(curves_.begin(), curves_.end(), [&](const CheckpointCurve& curve) {
    return curve.settings == settings;
  });
  if (found == curves_.end())
    found = curves_.insert(curves_.end(), CheckpointCurve{.settings = settings});
  std::rotate(curves_.begin(), found, found + 1);
  return curves_.front();
}

Status CheckpointCurves::Write() const {
  Json json = {{"curves", Json::array()}};
  for (const CheckpointCurve& curve : curves_) json["curves"].push_back(ToJson(curve));
  GORILA_RETURN_IF_ERROR(CreateFolders(folder_));
  return WriteFileAtomically(folder_ / kEvaluationsFile, DumpJson(json) + "\n");
}

Status CheckpointCurves::Draw() const {
  if (curves_.empty() || curves_.front().evaluations.empty()) return OkStatus();
  const CheckpointCurve& curve = curves_.front();
  GORILA_RETURN_IF_ERROR(
      WriteFileAtomically(folder_ / "evaluations.csv", CheckpointCurveCsv(curve)));
  const LearningCurveGrid picture = DrawCheckpointCurve(curve);
  GORILA_RETURN_IF_ERROR(WriteLearningCurve(folder_ / "curve.svg", picture));
  return WriteLearningCurve(folder_ / "curve.png", picture);
}

}  // namespace gorila
