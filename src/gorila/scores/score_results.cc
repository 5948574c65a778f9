#include "gorila/scores/score_results.h"

#include <algorithm>

#include "gorila/base/csv.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_index.h"
#include "gorila/report/run_summary.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kAtariFolder = "atari/";

std::string GameOf(std::string_view environment) {
  if (environment.starts_with(kAtariFolder)) environment.remove_prefix(kAtariFolder.size());
  return std::string(environment);
}

using Settings = std::map<std::string, std::string>;

ScoreResult ResultOf(const EvaluationRecord& record, const fs::path& source,
                     const Settings& settings) {
  return {.game = GameOf(record.environment),
          .protocol = record.result.protocol,
          .score = record.result.summary.mean,
          .source = source.string(),
          .warnings = record.context.has_value() ? ScoreWarnings(record.result, *record.context)
                                                 : std::vector<std::string>(),
          .settings = settings};
}

// One for each game.
std::vector<ScoreResult> ResultsOf(const EvaluationRecord& record, const fs::path& source,
                                   const Settings& settings = {}) {
  const std::size_t games = std::max<std::size_t>(1, record.result.games.size());
  std::vector<ScoreResult> results;
  for (std::size_t i = 0; i < games; ++i) {
    results.push_back(ResultOf(RecordOfGame(record, static_cast<int>(i)), source, settings));
    if (!record.result.games.empty()) results.back().shared_by = static_cast<int>(games);
  }
  return results;
}

// A protocol that a run was scored by twice counts once.
void AddOnce(std::vector<ScoreResult> more, std::vector<ScoreResult>& results) {
  for (ScoreResult& result : more) {
    const bool known = std::any_of(results.begin(), results.end(), [&](const ScoreResult& other) {
      return other.source == result.source && other.protocol == result.protocol &&
             other.game == result.game;
    });
    if (!known) results.push_back(std::move(result));
  }
}

Status ReadRun(const fs::path& run, ScoreResults& found) {
  const StatusOr<EvaluationRecord> last = ReadFinalEvaluation(run);
  if (absl::IsNotFound(last.status())) {
    ++found.unfinished_runs;
    return OkStatus();
  }
  GORILA_RETURN_IF_ERROR(last.status());
  GORILA_ASSIGN_OR_RETURN(const Config config, LoadRunConfig(run / "config.toml"));
  Settings settings = RepeatedSettings(config);
  if (NumGames(config) == 1) settings.erase("environment.name");
  AddOnce(ResultsOf(*last, run, settings), found.results);
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(run / kEvaluationsFolder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    GORILA_ASSIGN_OR_RETURN(const EvaluationRecord record, ReadEvaluation(file));
    AddOnce(ResultsOf(record, run, settings), found.results);
  }
  return OkStatus();
}

StatusOr<std::vector<ScoreResult>> ParseCsv(std::string_view text, const std::string& source,
                                            std::string_view default_protocol) {
  const std::vector<std::string_view> lines = SplitLines(text);
  const auto header = lines.empty() ? std::vector<std::string_view>() : SplitAt(lines[0], ',');
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  const std::size_t game = column("game");
  const std::size_t score = column("score");
  const std::size_t protocol = column("protocol");
  if (game == header.size() || score == header.size()) {
    return DataLoss("the header '{}' has no columns 'game' and 'score'",
                    lines.empty() ? "" : lines[0]);
  }
  std::vector<ScoreResult> results;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> cells = SplitAt(lines[i], ',');
    if (cells.size() != header.size()) {
      return DataLoss("line '{}' has {} columns; the header has {}", lines[i], cells.size(),
                      header.size());
    }
    const std::optional<double> value = ParseNumber(cells[score]);
    if (!value.has_value())
      return DataLoss("line '{}': '{}' is not a number", lines[i], cells[score]);
    results.push_back(
        {.game = GameOf(cells[game]),
         .protocol = std::string(protocol < cells.size() ? cells[protocol] : default_protocol),
         .score = *value,
         .source = source});
  }
  return results;
}

StatusOr<std::vector<ScoreResult>> ReadJson(const std::string& text, const std::string& source,
                                            std::string_view default_protocol) {
  try {
    const Json json = ParseJsonOrThrow<Json>(text);
    if (json.is_object()) {
      GORILA_ASSIGN_OR_RETURN(const EvaluationRecord record, DecodeEvaluation(text));
      return ResultsOf(record, source);
    }
    std::vector<ScoreResult> results;
    for (const Json& result : json) {
      results.push_back({.game = GameOf(result.at("game").get<std::string>()),
                         .protocol = result.value("protocol", std::string(default_protocol)),
                         .score = result.at("score").get<double>(),
                         .source = source});
    }
    return results;
  } catch (const nlohmann::json::exception& error) {
    return DataLoss("{}", error.what());
  }
}

}  // namespace

StatusOr<ScoreResults> ReadScoreResults(const fs::path& path, std::string_view default_protocol) {
  ScoreResults found;
  std::error_code error;
  if (!fs::exists(path, error)) return NotFound("'{}': no such file or folder", path.string());
  if (fs::is_directory(path, error)) {
    GORILA_ASSIGN_OR_RETURN(const std::vector<fs::path> runs, FindAllRuns(path));
    for (const fs::path& run : runs) {
      GORILA_RETURN_IF_ERROR(Annotate(ReadRun(run, found), fmt::format("'{}'", run.string())));
    }
    return found;
  }
  const std::string extension = path.extension().string();
  if (extension != ".csv" && extension != ".json") {
    return InvalidArgument("'{}': expected a folder, a .csv or a .json file", path.string());
  }
  GORILA_ASSIGN_OR_RETURN(const std::string text, ReadFileOf(kResultFile, path));
  auto results = extension == ".csv" ? ParseCsv(text, path.string(), default_protocol)
                                     : ReadJson(text, path.string(), default_protocol);
  if (!results.ok()) return Annotate(results.status(), fmt::format("'{}'", path.string()));
  found.results = *std::move(results);
  return found;
}

}  // namespace gorila
