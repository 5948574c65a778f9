#include "gorila/report/run_summary.h"

#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Who made the run; a report of another version may lack something.
Status ReadSource(RunSummary& run) {
  const fs::path path = run.directory / "report.json";
  StatusOr<std::string> text = ReadFileOf(kResultFile, path);
  if (absl::IsNotFound(text.status())) return OkStatus();
  GORILA_RETURN_IF_ERROR(text.status());
  const Json json = ParseJson<Json>(*text);
  if (!json.is_object()) return DataLoss("'{}' is not a JSON object", path.string());
  const auto read = [&json](const char* name) {
    return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
  };
  run.command = read("command");
  run.version = read("version");
  run.machine = read("machine");
  if (json.contains("cpu_seconds") && json["cpu_seconds"].is_number()) {
    run.cpu_seconds = json["cpu_seconds"].get<double>();
  }
  if (json.contains("wall_seconds") && json["wall_seconds"].is_number()) {
    run.seconds = json["wall_seconds"].get<double>();
  }
  if (json.contains("joules") && json["joules"].is_number()) {
    run.joules = json["joules"].get<double>();
  }
  return OkStatus();
}

std::vector<CurveSample> CurveOver(CurveAxis axis, const RunHistory& history) {
  switch (axis) {
    case CurveAxis::kFrames:
      return history.return_over_frames().samples();
    case CurveAxis::kUpdates:
      return history.return_over_updates().samples();
    case CurveAxis::kSeconds:
      break;
  }
  return history.return_over_seconds().samples();
}

std::vector<CurveSample> CurveOver(CurveAxis axis, const GameHistory& game) {
  switch (axis) {
    case CurveAxis::kFrames:
      return game.return_over_frames.samples();
    case CurveAxis::kUpdates:
      return game.return_over_updates.samples();
    case CurveAxis::kSeconds:
      break;
  }
  return game.return_over_seconds.samples();
}

// Figures and pages take nothing else, but a folder may have any name.
std::string ValidUtf8(const std::string& text) {
  return ParseJson<Json>(DumpAnyJson(Json(text))).get<std::string>();
}

}  // namespace

std::string_view AxisName(CurveAxis axis) {
  return axis == CurveAxis::kFrames    ? "frames"
         : axis == CurveAxis::kUpdates ? "updates"
                                       : "seconds";
}

std::string FolderLabel(const fs::path& directory) {
  std::error_code error;
  const fs::path absolute = fs::absolute(directory, error).lexically_normal();
  return ValidUtf8(
      (absolute.has_filename() ? absolute : absolute.parent_path()).filename().string());
}

std::string DefaultLabel(const fs::path& directory) {
  const StatusOr<RunLabels> labels = ReadRunLabels(directory);
  return labels.ok() && !labels->name.empty() ? labels->name : FolderLabel(directory);
}

LabelledRun ParseLabelledRun(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::error_code error;
  if (equals == std::string::npos || fs::exists(text, error)) return {DefaultLabel(text), text};
  return {ValidUtf8(text.substr(0, equals)), text.substr(equals + 1)};
}

StatusOr<RunSummary> ReadRun(const LabelledRun& run) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(run.directory));
  RunHistory history;
  const Status read = ReadRunHistory(run.directory / "metrics.jsonl", history);
  // A run that was killed in its first moments has no log yet.
  if (!absl::IsNotFound(read)) GORILA_RETURN_IF_ERROR(read);
  return ReadRun(run, std::move(history));
}

StatusOr<RunSummary> ReadRun(const LabelledRun& run, RunHistory history) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(run.directory));
  RunSummary summary;
  summary.label = run.label;
  summary.directory = run.directory;
  GORILA_ASSIGN_OR_RETURN(summary.labels, ReadRunLabels(run.directory));
  GORILA_ASSIGN_OR_RETURN(summary.config, LoadRunConfig(run.directory / "config.toml"));
  summary.history = std::move(history);
  GORILA_ASSIGN_OR_RETURN(summary.starts, ReadRunStarts(run.directory));
  auto evaluation = ReadFinalEvaluation(run.directory);
  if (evaluation.ok()) {
    summary.evaluation = *std::move(evaluation);
  } else if (!absl::IsNotFound(evaluation.status())) {
    return evaluation.status();
  }
  summary.seconds = summary.history.Last("seconds");
  summary.cpu_seconds = summary.history.Last("cpu_seconds");
  summary.joules = summary.history.Last("joules");
  if (!summary.evaluation.has_value()) return summary;  // the rest is of an earlier end, if there
  GORILA_RETURN_IF_ERROR(ReadSource(summary));
  StatusOr<std::string> film = ReadFileOf(kFilmFile, run.directory / "episode.gif");
  if (film.ok()) summary.film = *std::move(film);
  return summary;
}

std::vector<CurveSample> TrainingCurve(const RunSummary& run, CurveAxis axis, int game) {
  const std::vector<std::string> games = GamesOf(run.config);
  if (games.size() < 2) return CurveOver(axis, run.history);
  const GameHistory* const one = run.history.game(games.at(static_cast<std::size_t>(game)));
  return one == nullptr ? std::vector<CurveSample>() : CurveOver(axis, *one);
}

}  // namespace gorila
