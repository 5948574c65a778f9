#include "gorila/report/run_list.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "gorila/base/csv.h"
#include "gorila/base/json.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"
#include "gorila/metrics/number_format.h"
#include "gorila/report/group_labels.h"
#include "gorila/report/run_filter.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_summary.h"
#include "gorila/run/run_starts.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownSettings = 4;

std::string GameOf(const RunEntry& run) { return GamesLabel(run.config.environment.name); }

std::string SettingsText(const RunSettings& settings) {
  std::vector<std::string_view> differing;
  differing.reserve(settings.size());
  for (const auto& setting : settings) differing.push_back(setting.first);
  std::vector<std::string> texts;
  const std::vector<std::string_view> keys = KeysToShow(differing);
  for (const std::string_view key : keys) {
    if (texts.size() == kShownSettings) {
      texts.push_back(fmt::format("{} more", keys.size() - kShownSettings));
      break;
    }
    texts.push_back(fmt::format("{}={}", key, settings.at(std::string(key))));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string FramesText(const RunEntry& run) {
  std::string frames =
      FormatCount(static_cast<std::uint64_t>(std::max<std::int64_t>(0, run.frames)));
  if (run.frames >= run.config.run.frames) return frames;
  return fmt::format("{}/{}", frames,
                     FormatCount(static_cast<std::uint64_t>(run.config.run.frames)));
}

std::string ScoreText(const RunEntry& run) {
  if (!run.score.has_value()) return "";
  if (!std::isfinite(run.score->standard_error)) return FormatDecimal(run.score->value, 2);
  return fmt::format("{:.2f} +- {:.2f}", run.score->value, run.score->standard_error);
}

std::string KindText(const RunEntry& run) {
  return run.score.has_value() ? std::string(ScoreKindName(run.score->kind)) : "";
}

// Leaves out the columns that have a heading alone.
TableRows WithoutEmptyColumns(const TableRows& rows) {
  TableRows kept(rows.size());
  for (std::size_t column = 0; column < rows.front().size(); ++column) {
    const bool filled = std::any_of(rows.begin() + 1, rows.end(),
                                    [column](const auto& row) { return !row[column].empty(); });
    for (std::size_t row = 0; filled && row < rows.size(); ++row) {
      kept[row].push_back(rows[row][column]);
    }
  }
  return kept;
}

// The text of a number for programs; empty for one that is not finite.
std::string NumberText(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

// Values in configuration files are JSON as well.
Json ValueJson(const std::string& value) {
  Json json = ParseJson<Json>(value);
  return json.is_discarded() ? Json(value) : json;
}

Json ScoreJson(const RunEntry& run) {
  if (!run.score.has_value()) return nullptr;
  Json json = {{"kind", ScoreKindName(run.score->kind)}, {"value", run.score->value}};
  json["standard_error"] = run.score->standard_error;  // NaN is null
  if (!run.score->protocol.empty()) json["protocol"] = run.score->protocol;
  if (!run.score->aggregate.empty()) json["aggregate"] = run.score->aggregate;
  return json;
}

Json ToJson(const RunEntry& run, const RunSettings& settings) {
  Json json = {{"run", run.directory.string()},
               {"name", run.labels.name},
               {"note", run.labels.note},
               {"tags", run.labels.tags},
               {"games", GamesOf(run.config)},
               {"seed", run.config.run.seed},
               {"state", run.state},
               {"frames", run.frames},
               {"target_frames", run.config.run.frames},
               {"seconds", nullptr},
               {"score", ScoreJson(run)},
               {"when", UtcText(run.when)},
               {"settings", Json::object()}};
  if (run.seconds.has_value()) json["seconds"] = *run.seconds;
  for (const auto& [key, value] : settings) json["settings"][key] = ValueJson(value);
  return json;
}

std::string Document(const char* name, Json list, const RunEntries& all) {
  Json json = {{name, std::move(list)}, {"unreadable", Json::array()}, {"notes", all.notes}};
  for (const UnreadableRun& run : all.unreadable) {
    json["unreadable"].push_back({{"run", run.directory.string()}, {"why", run.why}});
  }
  return DumpAnyJson(json, 2) + "\n";
}

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != cells.data()) line += ',';
    line += CsvCell(cell);
  }
  return line + "\n";
}

// "2 finished, 1 training".
std::string StatesText(const std::vector<const RunEntry*>& runs) {
  std::vector<std::string> texts;
  for (const std::string_view state : RunEntryStates()) {
    const auto n = std::count_if(runs.begin(), runs.end(),
                                 [state](const RunEntry* run) { return run->state == state; });
    if (n > 0) texts.push_back(fmt::format("{} {}", n, state));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

// Those of the best kind that is there.
void ScoreGroup(Statistic statistic, ListedGroup& group) {
  for (const RunEntry* run : group.runs) {
    if (run->score.has_value()) group.kind = std::max(group.kind, run->score->kind);
  }
  for (const RunEntry* run : group.runs) {
    if (!run->score.has_value() || run->score->kind != group.kind) continue;
    if (std::isfinite(run->score->value)) group.scores.push_back(run->score->value);
  }
  if (!group.scores.empty()) group.estimate = EstimateScores(group.scores, statistic);
}

std::string IntervalText(const Estimate& estimate) {
  if (!estimate.HasInterval()) return FormatDecimal(estimate.value, 2);
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", estimate.value, estimate.low, estimate.high);
}

}  // namespace

std::vector<RunSettings> DifferingSettings(std::span<const RunEntry> runs) {
  std::vector<RunSettings> settings;
  std::map<std::string, const RunSettings*> first;  // of each game
  std::map<std::string, std::set<std::string>> differing;
  settings.reserve(runs.size());
  for (const RunEntry& run : runs) {
    const std::string& game = run.config.environment.name;
    settings.push_back(RepeatedSettings(run.config));
    const RunSettings& other = *first.try_emplace(game, &settings.back()).first->second;
    for (const auto& [key, value] : settings.back()) {
      if (other.at(key) != value) differing[game].insert(key);
    }
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::set<std::string>& keys = differing[runs[i].config.environment.name];
    std::erase_if(settings[i], [&keys](const auto& one) { return !keys.contains(one.first); });
  }
  return settings;
}

std::vector<ListedGroup> ListGroups(std::span<const RunEntry> runs, Statistic statistic) {
  std::vector<RunSummary> summaries;
  for (const RunEntry& run : runs) {
    RunSummary& summary = summaries.emplace_back();
    summary.directory = run.directory;
    summary.label = FolderLabel(run.directory);
    summary.config = run.config;
  }
  std::vector<ListedGroup> groups;
  for (const GameRuns& game : GroupRuns(summaries)) {
    for (const RunGroup& of_game : game.groups) {
      ListedGroup& group = groups.emplace_back();
      for (const RunSummary* run : of_game.runs) {
        group.runs.push_back(&runs[static_cast<std::size_t>(run - summaries.data())]);
      }
      group.game = GameOf(*group.runs.front());
      // Called after the game where nothing else tells it apart.
      if (of_game.label != game.environment) group.label = of_game.label;
      ScoreGroup(statistic, group);
    }
  }
  return groups;
}

void SortGroupsByScore(bool reversed, std::vector<ListedGroup>& groups) {
  std::stable_sort(groups.begin(), groups.end(), [=](const ListedGroup& a, const ListedGroup& b) {
    if (a.scores.empty() != b.scores.empty()) return b.scores.empty();
    if (a.game != b.game) return NaturalLess(a.game, b.game);
    if (a.kind != b.kind) return a.kind > b.kind;
    return reversed ? a.estimate.value > b.estimate.value : a.estimate.value < b.estimate.value;
  });
}

TableRows RunTable(std::span<const RunEntry> runs) {
  TableRows rows = {{"run", "name", "game", "settings", "seed", "frames", "state", "score", "kind",
                     "when", "tags", "note"}};
  const std::vector<RunSettings> settings = DifferingSettings(runs);
  for (const RunEntry& run : runs) {
    rows.push_back({run.directory.string(), run.labels.name, GameOf(run),
                    SettingsText(settings[rows.size() - 1]), fmt::format("{}", run.config.run.seed),
                    FramesText(run), run.state, ScoreText(run), KindText(run), TimeText(run.when),
                    fmt::format("{}", fmt::join(run.labels.tags, ",")), run.labels.note});
  }
  return WithoutEmptyColumns(rows);
}

TableRows GroupTable(std::span<const ListedGroup> groups, Statistic statistic) {
  TableRows rows = {{"game", "settings", "runs", "state",
                     fmt::format("score ({}, 95 % interval)", StatisticName(statistic)), "scored",
                     "kind"}};
  for (const ListedGroup& group : groups) {
    const bool scored = !group.scores.empty();
    rows.push_back({group.game, group.label, fmt::format("{}", group.runs.size()),
                    StatesText(group.runs), scored ? IntervalText(group.estimate) : "",
                    scored ? fmt::format("{}", group.scores.size()) : "",
                    scored ? std::string(ScoreKindName(group.kind)) : ""});
  }
  return WithoutEmptyColumns(rows);
}

TableRows UnreadableTable(std::span<const UnreadableRun> runs) {
  TableRows rows = {{"run", "state", "why"}};
  for (const UnreadableRun& run : runs) {
    rows.push_back({run.directory.string(), "unreadable", run.why});
  }
  return rows;
}

std::string RunCsv(std::span<const RunEntry> runs, std::span<const UnreadableRun> unreadable) {
  const std::vector<RunSettings> settings = DifferingSettings(runs);
  std::set<std::string> keys;
  for (const RunSettings& one : settings) {
    for (const auto& [key, value] : one) keys.insert(key);
  }
  std::vector<std::string> cells = {"run",    "name",          "game",    "seed",  "state",
                                    "frames", "target_frames", "seconds", "score", "standard_error",
                                    "kind",   "protocol",      "when",    "tags",  "note"};
  const std::size_t fixed = cells.size();
  cells.insert(cells.end(), keys.begin(), keys.end());
  std::string text = CsvLine(cells);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunEntry& run = runs[i];
    const EntryScore score = run.score.value_or(EntryScore{.value = std::nan("")});
    cells = {run.directory.string(),
             run.labels.name,
             run.config.environment.name,
             fmt::format("{}", run.config.run.seed),
             run.state,
             fmt::format("{}", run.frames),
             fmt::format("{}", run.config.run.frames),
             NumberText(run.seconds.value_or(std::nan(""))),
             NumberText(score.value),
             NumberText(score.standard_error),
             KindText(run),
             score.protocol,
             UtcText(run.when),
             fmt::format("{}", fmt::join(run.labels.tags, " ")),
             run.labels.note};
    for (const std::string& key : keys) {
      const auto found = settings[i].find(key);
      cells.push_back(found == settings[i].end() ? "" : found->second);
    }
    text += CsvLine(cells);
  }
  for (const UnreadableRun& run : unreadable) {
    cells.assign(fixed + keys.size(), "");
    cells[0] = run.directory.string();
    cells[4] = "unreadable";
    text += CsvLine(cells);
  }
  return text;
}

std::string GroupCsv(std::span<const ListedGroup> groups, Statistic statistic) {
  std::string text =
      CsvLine({"game", "settings", "runs", "scored", "statistic", "score", "low", "high", "kind"});
  for (const ListedGroup& group : groups) {
    const bool scored = !group.scores.empty();
    text += CsvLine({group.runs.front()->config.environment.name, group.label,
                     fmt::format("{}", group.runs.size()), fmt::format("{}", group.scores.size()),
                     std::string(StatisticName(statistic)), NumberText(group.estimate.value),
                     NumberText(group.estimate.low), NumberText(group.estimate.high),
                     scored ? std::string(ScoreKindName(group.kind)) : ""});
  }
  return text;
}

std::string RunJson(std::span<const RunEntry> runs, const RunEntries& all) {
  const std::vector<RunSettings> settings = DifferingSettings(runs);
  Json list = Json::array();
  for (std::size_t i = 0; i < runs.size(); ++i) list.push_back(ToJson(runs[i], settings[i]));
  return Document("runs", std::move(list), all);
}

std::string GroupJson(std::span<const ListedGroup> groups, Statistic statistic,
                      const RunEntries& all) {
  Json list = Json::array();
  for (const ListedGroup& group : groups) {
    Json json = {{"games", GamesOf(group.runs.front()->config)},
                 {"settings", group.label},
                 {"runs", Json::array()},
                 {"statistic", StatisticName(statistic)},
                 {"score", group.estimate.value},
                 {"low", group.estimate.low},
                 {"high", group.estimate.high},
                 {"kind", nullptr},
                 {"scores", group.scores}};
    if (!group.scores.empty()) json["kind"] = ScoreKindName(group.kind);
    for (const RunEntry* run : group.runs) json["runs"].push_back(run->directory.string());
    list.push_back(std::move(json));
  }
  return Document("groups", std::move(list), all);
}

}  // namespace gorila
