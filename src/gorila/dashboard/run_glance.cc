#include "gorila/dashboard/run_glance.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/dashboard/run_description.h"
#include "gorila/env/game_list.h"
#include "gorila/metrics/run_log_tail.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_history.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

Json FiniteOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// Equal for runs that repeat each other.
std::string GroupId(const Config& config, const std::string& chosen_label) {
  std::string text = chosen_label;
  for (const auto& [key, value] : RepeatedSettings(config)) {
    text += fmt::format("\n{}={}", key, value);
  }
  return fmt::format("{:016x}", std::hash<std::string>()(text));
}

Json ChangedSettings(const SettingTexts& values, const SettingTexts& base) {
  Json changed = Json::object();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != base[i]) changed[std::string(ConfigKeys()[i].name)] = values[i];
  }
  return changed;
}

}  // namespace

SettingTexts SettingTextsOf(const Config& config) {
  SettingTexts values;
  for (const ConfigKey& key : ConfigKeys()) values.push_back(ValueText(key.field, config));
  return values;
}

FileMark FileMark::Of(const fs::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {
      .exists = true,
      .inode = status.st_ino,
      .size = static_cast<std::uint64_t>(status.st_size),
      .written_ns = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec};
}

StatusOr<bool> RunGlance::Look(const HeldLocks& locks, SettingTexts& base) {
  gone_ = false;
  problem_.clear();
  const FileMark config = FileMark::Of(run_.directory / "config.toml");
  if (config != config_mark_ || !known_) {
    GORILA_RETURN_IF_ERROR(ReadConfig(base));
    config_mark_ = config;
  }
  if (const FileMark labels = FileMark::Of(run_.directory / kLabelsFile); labels != labels_mark_) {
    labels_mark_ = labels;
    // One that is damaged is named by `gorila runs`; here the run is shown without.
    labels_ = ReadRunLabels(run_.directory).value_or(RunLabels());
  }
  const FileMark log = FileMark::Of(run_.directory / "metrics.jsonl");
  if (log != log_mark_) {
    const bool first = json_.empty();
    log_grew_ = first ? LastWritten(run_.directory / "metrics.jsonl") : Clock::now();
    if (log.size < log_mark_.size) evaluated_ = {};  // what it was of may be void
    log_mark_ = log;
    ReadTail();
  }
  seen_ = LookAtRun(run_.directory, locks, log_grew_, metrics_every_seconds_);
  const FileMark evaluation = FileMark::Of(run_.directory / kEvaluationFile);
  if (evaluation != evaluation_mark_) {
    evaluation_mark_ = evaluation;
    ReadEvaluation();
  }
  if (seen_.state == RunState::kFinished && final_.is_null()) {
    problem_ = "evaluation.json: not a JSON object";
  }
  return Rebuild();
}

std::string RunGlance::label() const {
  if (!was_found_ || labels_.name.empty()) return run_.label;
  return chosen_label_.empty() ? labels_.name : chosen_label_ + "/" + labels_.name;
}

bool RunGlance::SetGone() {
  gone_ = true;
  return Rebuild();
}

// A file that is being written again changes nothing.
Status RunGlance::ReadConfig(SettingTexts& base) {
  const StatusOr<Config> config = LoadRunConfig(run_.directory / "config.toml");
  config_problem_.clear();
  if (!config.ok()) {
    if (!known_) return config.status();
    config_problem_ = std::string(config.status().message());
    return OkStatus();
  }
  known_ = true;
  const SettingTexts values = SettingTextsOf(*config);
  if (base.empty()) base = values;
  title_ = GamesLabel(config->environment.name);
  several_games_ = NumGames(*config) > 1;
  metrics_every_seconds_ = config->run.metrics_every_seconds;
  from_config_ = DescribeGames(*config);
  from_config_["total_frames"] = config->run.frames;
  from_config_["group"] = GroupId(*config, chosen_label_);
  from_config_["changed"] = ChangedSettings(values, base);
  return OkStatus();
}

void RunGlance::ReadTail() {
  frames_ = updates_ = seconds_ = return_ = std::nan("");
  StatusOr<RunLogTail> tail = RunLogTail::Open(run_.directory / "metrics.jsonl");
  double episodes = 0, sum = 0;
  bool evaluated = false;
  while (tail.ok() && tail->bytes_read() <= kMostTail) {
    const auto record = tail->Previous();
    if (!record.ok() || !record->has_value()) break;
    const auto kind = (*record)->Text("kind");
    if (kind == "training") AddTrainingRecord(**record, episodes, sum);
    if (kind == "evaluation" && !std::exchange(evaluated, true) && !several_games_) {
      evaluated_ = {.mean = (*record)->Number("return_mean").value_or(std::nan("")),
                    .standard_error = (*record)->Number("standard_error").value_or(std::nan("")),
                    .frames = (*record)->Number("frames").value_or(std::nan(""))};
    }
    if (evaluated && episodes >= static_cast<double>(kSmoothedEpisodes)) break;
  }
  // Points of different games do not make one mean.
  if (episodes > 0 && !several_games_) return_ = sum / episodes;
}

void RunGlance::AddTrainingRecord(const RunLogRecord& record, double& episodes, double& sum) {
  if (std::isnan(frames_)) {
    frames_ = record.Number("frames").value_or(std::nan(""));
    updates_ = record.Number("updates").value_or(std::nan(""));
    seconds_ = record.Number("seconds").value_or(std::nan(""));
  }
  const double mean = record.Number("return_mean").value_or(std::nan(""));
  const double ended = record.Number("return_episodes").value_or(0);
  if (!std::isfinite(mean) || !(ended > 0)) return;
  const double taken = std::min(ended, static_cast<double>(kSmoothedEpisodes) - episodes);
  episodes += taken;
  sum += taken * mean;
}

void RunGlance::ReadEvaluation() {
  final_ = nullptr;
  const auto text = ReadFileOf(kResultFile, run_.directory / kEvaluationFile);
  const Json json = text.ok() ? ParseJson<Json>(*text) : Json();
  if (!json.is_object()) return;
  const Json whole = Relabelled(json);
  final_ = Json::object();
  for (const char* name :
       {"mean", "standard_error", "protocol", "episodes", "aggregate", "frames"}) {
    if (whole.contains(name)) final_[name] = whole[name];
  }
}

bool RunGlance::Rebuild() {
  Json json = {{"label", label()},
               {"directory", run_.directory.string()},
               {"gone", gone_},
               {"state", RunStateName(seen_.state)},
               {"elsewhere", seen_.elsewhere},
               {"problem", config_problem_.empty() ? problem_ : config_problem_}};
  json.update(from_config_);
  json["note"] = labels_.note;
  json["tags"] = labels_.tags;
  json["frames"] = FiniteOrNull(frames_);
  json["updates"] = FiniteOrNull(updates_);
  json["seconds"] = FiniteOrNull(seconds_);
  json["return"] = FiniteOrNull(return_);
  json["evaluated"] = {{"mean", FiniteOrNull(evaluated_.mean)},
                       {"standard_error", FiniteOrNull(evaluated_.standard_error)},
                       {"frames", FiniteOrNull(evaluated_.frames)}};
  json["evaluation"] = final_;
  json["written"] = std::max(log_mark_.written_ns, config_mark_.written_ns) / 1'000'000'000;
  std::string text = DumpAnyJson(json);
  const bool changed = text != json_;
  json_ = std::move(text);
  return changed;
}

}  // namespace gorila
