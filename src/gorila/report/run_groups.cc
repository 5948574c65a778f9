#include "gorila/report/run_groups.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "gorila/config/config_keys.h"
#include "gorila/env/game_list.h"

namespace gorila {
namespace {

// Where and how long something is kept, and on what a run has run.
constexpr std::array<std::string_view, 9> kRunOnly = {"run.seed",
                                                      "run.cpus",
                                                      "run.metrics_every_seconds",
                                                      "run.metrics_every_frames",
                                                      "atari.rom_folder",
                                                      "cluster.cpus",
                                                      "cluster.memory_mb",
                                                      "cluster.metrics_port",
                                                      "cluster.shared_memory"};
constexpr std::array<std::string_view, 3> kRunOnlySections = {"checkpoint", "slurm", "kubernetes"};

bool IsSetting(const ConfigKey& key) {
  const auto has = [](const auto& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return !has(kRunOnly, key.name) && !has(kRunOnlySections, key.section());
}

// What the group's name was given as; empty when it is only a folder's.
std::string ChosenLabel(const RunSummary& run) {
  return run.label == DefaultLabel(run.directory) ? "" : run.label;
}

bool AreRepetitions(const RunSummary& a, const RunSummary& b) {
  return ChosenLabel(a) == ChosenLabel(b) &&
         RepeatedSettings(a.config) == RepeatedSettings(b.config);
}

// "learner.n_step=1, run.bundles=4": the settings in which the game's groups differ.
std::string Differences(const RunGroup& group, const std::vector<RunGroup>& all) {
  std::string text;
  for (const ConfigKey& key : ConfigKeys()) {
    if (!IsSetting(key)) continue;
    const std::string value = ValueText(key.field, group.runs.front()->config);
    const bool differs = std::any_of(all.begin(), all.end(), [&](const RunGroup& other) {
      return ValueText(key.field, other.runs.front()->config) != value;
    });
    if (differs) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key.name, value);
  }
  return text;
}

void NameGroups(GameRuns& game) {
  for (RunGroup& group : game.groups) {
    const RunSummary& run = *group.runs.front();
    group.label = group.runs.size() == 1 ? run.label : ChosenLabel(run);
  }
  std::vector<std::string> names;
  for (const RunGroup& group : game.groups) names.push_back(group.label);
  for (RunGroup& group : game.groups) {
    const bool alone = std::count(names.begin(), names.end(), group.label) == 1;
    if (alone && !group.label.empty()) continue;
    const std::string differences = Differences(group, game.groups);
    if (!differences.empty()) {
      group.label += (group.label.empty() ? "" : ", ") + differences;
    } else if (group.label.empty()) {
      group.label = game.environment;
    }
  }
}

}  // namespace

std::map<std::string, std::string> RepeatedSettings(const Config& config) {
  std::map<std::string, std::string> settings;
  for (const ConfigKey& key : ConfigKeys()) {
    if (IsSetting(key)) settings.emplace(key.name, ValueText(key.field, config));
  }
  const std::vector<std::string>& games = config.environment.options.games;
  if (!games.empty()) {
    settings["environment.name"] += fmt::format(" of {}", fmt::join(games, ", "));
  }
  return settings;
}

std::vector<GameRuns> GroupRuns(std::span<const RunSummary> runs) {
  std::vector<GameRuns> games;
  for (const RunSummary& run : runs) {
    const std::string& name = run.config.environment.name;
    auto game = std::find_if(games.begin(), games.end(), [&](const GameRuns& one) {
      return one.groups.front().runs.front()->config.environment.name == name;
    });
    if (game == games.end()) {
      game = games.insert(games.end(), {.environment = GamesLabel(name), .groups = {}});
    }
    auto& groups = game->groups;
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const RunGroup& group) {
      return AreRepetitions(*group.runs.front(), run);
    });
    if (found == groups.end()) {
      groups.push_back({.label = "", .runs = {&run}});
    } else {
      found->runs.push_back(&run);
    }
  }
  for (GameRuns& game : games) NameGroups(game);
  return games;
}

}  // namespace gorila
