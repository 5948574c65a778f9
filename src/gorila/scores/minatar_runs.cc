#include "gorila/scores/minatar_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <string_view>

#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/config/presets.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_index.h"
#include "gorila/scores/minatar_scores.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

bool IsMinAtar(std::string_view game) {
  return std::find(kMinAtarGames.begin(), kMinAtarGames.end(), game) != kMinAtarGames.end();
}

// The log is read once for all. A run that never logged has no training return.
Status ReadLog(const fs::path& log, RunHistory& history, std::vector<RecentReturn>& training) {
  const Status read = ForEachRunLogRecord(log, [&](const RunLogRecord& record) {
    history.Add(record);
    for (RecentReturn& of_game : training) of_game.Add(record);
  });
  return absl::IsNotFound(read) ? OkStatus() : read;
}

// The places of MinAtar's games among the run's.
std::vector<int> MinAtarGamesOf(const Config& config) {
  std::vector<int> places;
  const std::vector<std::string> games = GamesOf(config);
  for (std::size_t i = 0; i < games.size(); ++i) {
    if (IsMinAtar(games[i])) places.push_back(static_cast<int>(i));
  }
  return places;
}

// Whoever edits a run's files may leave them of different games.
Status CheckGames(const Config& config, const EvaluationRecord& evaluation) {
  std::vector<std::string> evaluated;
  for (const EvaluationResult& game : evaluation.result.games) evaluated.push_back(game.game);
  if (NumGames(config) == 1 ? evaluated.empty() : evaluated == GamesOf(config)) return OkStatus();
  return DataLoss("evaluation.json has the games '{}'; the configuration has '{}'",
                  fmt::join(evaluated, ", "), config.environment.name);
}

// The run as one of its games sees it.
RunSummary OfGame(const RunSummary& run, int game) {
  RunSummary one = run;
  one.config = OneGame(run.config, game);
  if (run.evaluation.has_value()) one.evaluation = RecordOfGame(*run.evaluation, game);
  return one;
}

Status AddRun(const fs::path& directory, MinAtarRuns& found) {
  GORILA_ASSIGN_OR_RETURN(const Config config, LoadRunConfig(directory / "config.toml"));
  const std::vector<int> games = MinAtarGamesOf(config);
  if (games.empty()) {
    ++found.other_games;
    return OkStatus();
  }
  const StatusOr<EvaluationRecord> evaluation = ReadFinalEvaluation(directory);
  if (absl::IsNotFound(evaluation.status())) {
    ++found.unfinished;
    return OkStatus();
  }
  GORILA_RETURN_IF_ERROR(evaluation.status());
  GORILA_RETURN_IF_ERROR(CheckGames(config, *evaluation));
  std::vector<RecentReturn> training;
  for (const int game : games) {
    const bool alone = NumGames(config) == 1;
    training.emplace_back(alone ? "" : GamesOf(config)[static_cast<std::size_t>(game)]);
  }
  RunHistory history;
  GORILA_RETURN_IF_ERROR(ReadLog(directory / "metrics.jsonl", history, training));
  GORILA_ASSIGN_OR_RETURN(const RunSummary run,
                          ReadRun({DefaultLabel(directory), directory}, std::move(history)));
  for (const int game : games) found.runs.push_back(OfGame(run, game));
  std::move(training.begin(), training.end(), std::back_inserter(found.training));
  return OkStatus();
}

// What a training record says of a game; of the only one the record itself. Null where it says
// nothing.
const RunLogRecord* CountsIn(const RunLogRecord& record, const std::string& game) {
  if (game.empty()) return &record;
  const RunLogRecord* const games = record.Object("games");
  return games == nullptr ? nullptr : games->Object(game);
}

using Settings = std::map<std::string, std::string>;

// What decides how training goes and no other column tells.
Settings TrainingSettings(const Config& config) {
  constexpr std::array<std::string_view, 3> kElsewhere = {"environment.", "evaluation.",
                                                          "cluster."};
  Settings settings = RepeatedSettings(config);
  std::erase_if(settings, [&](const auto& setting) {
    return std::any_of(kElsewhere.begin(), kElsewhere.end(),
                       [&](std::string_view prefix) { return setting.first.starts_with(prefix); });
  });
  settings.erase("run.frames");
  settings.erase("run.seconds");
  settings.erase("learner.algorithm");
  return settings;
}

// "learner.n_step=1", one each.
std::vector<std::string> Differences(const Settings& run, const Settings& preset) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : run) {
    if (preset.at(key) != value) texts.push_back(fmt::format("{}={}", key, value));
  }
  return texts;
}

}  // namespace

void RecentReturn::Add(const RunLogRecord& record) {
  if (record.Text("kind") != "training") return;
  const RunLogRecord* const counts = CountsIn(record, game_);
  if (counts == nullptr) return;
  const double end = counts->Number("frames").value_or(0);
  if (!(end > frames_)) return;
  const double episodes = counts->Number("return_episodes").value_or(0);
  const double mean = counts->Number("return_mean").value_or(std::nan(""));
  if (episodes > 0 && std::isfinite(mean)) stretches_.push_back({frames_, end, episodes, mean});
  frames_ = end;
  epsilon_ = record.Number("epsilon").value_or(std::nan(""));
  while (!stretches_.empty() && stretches_.front().end <= frames_ - kReturnWindow) {
    stretches_.pop_front();
  }
}

double RecentReturn::Mean() const {
  double sum = 0;
  double episodes = 0;
  for (const Stretch& stretch : stretches_) {
    const double begin = std::max(stretch.begin, frames_ - kReturnWindow);
    const double part = (stretch.end - begin) / (stretch.end - stretch.begin);
    sum += part * stretch.episodes * stretch.mean_return;
    episodes += part * stretch.episodes;
  }
  return episodes > 0 ? sum / episodes : std::nan("");
}

StatusOr<MinAtarRuns> ReadMinAtarRuns(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return NotFound("'{}': no such file or folder", path.string());
  if (!fs::is_directory(path, error)) {
    return InvalidArgument("'{}': expected a run's folder or a folder of runs", path.string());
  }
  GORILA_ASSIGN_OR_RETURN(const std::vector<fs::path> directories, FindAllRuns(path));
  MinAtarRuns found;
  for (const fs::path& directory : directories) {
    GORILA_RETURN_IF_ERROR(
        Annotate(AddRun(directory, found), fmt::format("'{}'", directory.string())));
  }
  if (found.runs.empty() && found.unfinished == 0) {
    return InvalidArgument("'{}' has no run of a MinAtar game; 'gorila scores' reads the others",
                           path.string());
  }
  return found;
}

std::string AgentOf(const Config& config) {
  constexpr std::size_t kShown = 3;
  const Settings settings = TrainingSettings(config);
  std::string nearest;
  std::vector<std::string> differences;
  for (const Preset& preset : Presets()) {
    const StatusOr<Config> loaded = LoadPreset(preset.name);
    GORILA_CHECK(loaded.ok(), "preset {}: {}", preset.name, loaded.status().ToString());
    std::vector<std::string> here = Differences(settings, TrainingSettings(*loaded));
    if (!nearest.empty() && here.size() >= differences.size()) continue;
    nearest = preset.name;
    differences = std::move(here);
  }
  if (differences.size() > kShown + 1) {
    const std::size_t more = differences.size() - kShown;
    differences.resize(kShown);
    differences.push_back(fmt::format("{} more", more));
  }
  differences.insert(differences.begin(), nearest);
  return fmt::format("{} ({})", config.learner.agent.algorithm, fmt::join(differences, ", "));
}

}  // namespace gorila
