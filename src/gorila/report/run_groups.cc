#include "gorila/report/run_groups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"
#include "gorila/report/group_labels.h"

namespace gorila {
namespace {

// Where a run was and how it was kept: none changes what is learnt. Whatever might is not here, so
// that a new key separates runs until somebody says otherwise. network.backend and network.device
// round differently, and curves over seconds of a GPU and a CPU have no mean.
constexpr std::array<std::string_view, 16> kRunOnly = {"run.seed",
                                                       "run.cpus",
                                                       "run.metrics_every_seconds",
                                                       "run.metrics_every_frames",
                                                       "environment.python",
                                                       "environment.per_worker",
                                                       "environment.step_seconds",
                                                       "environment.start_seconds",
                                                       "atari.rom_folder",
                                                       "replay.byte_budget",
                                                       "replay.compression",
                                                       "replay.compressed_frame_bytes",
                                                       "cluster.cpus",
                                                       "cluster.memory_mb",
                                                       "cluster.metrics_port",
                                                       "cluster.shared_memory"};
constexpr std::array<std::string_view, 3> kRunOnlySections = {"checkpoint", "slurm", "kubernetes"};

constexpr const char* kGame = "environment.name";

bool IsSetting(const ConfigKey& key) {
  const auto has = [](const auto& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return !has(kRunOnly, key.name) && !has(kRunOnlySections, key.section());
}

// The label that the group was given; empty when it is only what its run is called.
std::string ChosenLabel(const RunSummary& run) {
  const bool default_one = run.label == run.labels.name || run.label == FolderLabel(run.directory);
  return default_one ? "" : run.label;
}

using Settings = std::map<std::string, std::string>;

// What repetitions have in common.
struct Identity {
  std::string chosen;
  std::string games;   // environment.name
  std::string shared;  // all games of the network, where they are several
  Settings settings;

  auto operator<=>(const Identity&) const = default;
};

Identity IdentityOf(const RunSummary& run) {
  const std::vector<std::string>& others = run.config.environment.options.games;
  Identity identity{.chosen = ChosenLabel(run),
                    .games = run.config.environment.name,
                    .shared = fmt::format("{}", fmt::join(others, ",")),
                    .settings = RepeatedSettings(run.config)};
  if (others.empty() && NumGames(run.config) > 1) identity.shared = identity.games;
  return identity;
}

// Whatever the game is; a network that plays several is another agent than one for each of them.
Identity OfAnyGame(Identity identity) {
  identity.games.clear();
  identity.settings.erase(kGame);
  return identity;
}

// Puts runs into groups, and groups of different games beside each other.
class Grouping {
 public:
  void Add(const RunSummary& run) {
    Identity identity = IdentityOf(run);
    auto found = groups_.find(identity);
    if (found == groups_.end()) {
      const Place place = NewGroup(identity);
      found = groups_.emplace(std::move(identity), place).first;
    }
    games_[found->second.game].groups[found->second.group].runs.push_back(&run);
  }

  std::vector<GameRuns> Finish() {
    const std::vector<std::string> labels = GroupLabels(agents_);
    for (GameRuns& game : games_) {
      for (RunGroup& group : game.groups) {
        const RunSummary& run = *group.runs.front();
        group.label = labels[group.agent];
        if (!group.label.empty()) continue;
        group.label = group.runs.size() == 1 ? run.label : game.environment;
      }
      std::stable_sort(game.groups.begin(), game.groups.end(),
                       [](const auto& a, const auto& b) { return a.agent < b.agent; });
    }
    return std::move(games_);
  }

 private:
  struct Place {
    std::size_t game, group;
  };

  Place NewGroup(const Identity& identity) {
    const auto [game, is_new] = game_places_.emplace(identity.games, games_.size());
    if (is_new) games_.push_back({.environment = GamesLabel(identity.games), .groups = {}});
    auto& groups = games_[game->second].groups;
    groups.push_back({.label = "", .runs = {}, .agent = AgentNumber(identity)});
    return {game->second, groups.size() - 1};
  }

  std::size_t AgentNumber(const Identity& identity) {
    const auto [found, is_new] = agent_places_.emplace(OfAnyGame(identity), agents_.size());
    if (is_new) {
      agents_.push_back({.chosen = identity.chosen,
                         .settings = found->first.settings,
                         .games = identity.shared.empty() ? "" : GamesLabel(identity.shared)});
    }
    return found->second;
  }

  std::vector<GameRuns> games_;
  std::map<std::string, std::size_t> game_places_;
  std::map<Identity, Place> groups_;
  std::vector<GroupSettings> agents_;
  std::map<Identity, std::size_t> agent_places_;
};

}  // namespace

std::map<std::string, std::string> RepeatedSettings(const Config& config) {
  std::map<std::string, std::string> settings;
  for (const ConfigKey& key : ConfigKeys()) {
    if (IsSetting(key)) settings.emplace(key.name, ValueText(key.field, config));
  }
  const std::vector<std::string>& games = config.environment.options.games;
  if (!games.empty()) {
    settings[kGame] += fmt::format(" of {}", fmt::join(games, ", "));
  }
  return settings;
}

std::vector<std::string> RunOnlyKeys() {
  std::vector<std::string> keys;
  for (const ConfigKey& key : ConfigKeys()) {
    if (!IsSetting(key)) keys.emplace_back(key.name);
  }
  return keys;
}

std::string ShortKey(std::string_view key) {
  const std::string_view last = key.substr(key.find('.') + 1);
  const std::span<const ConfigKey> keys = ConfigKeys();
  const auto same = std::count_if(keys.begin(), keys.end(), [last](const ConfigKey& other) {
    return other.last_part() == last;
  });
  return std::string(same > 1 ? key : last);
}

std::vector<GameRuns> GroupRuns(std::span<const RunSummary> runs) {
  Grouping grouping;
  for (const RunSummary& run : runs) grouping.Add(run);
  return grouping.Finish();
}

std::vector<std::string> RepeatedSeeds(std::span<const GameRuns> games) {
  std::vector<std::string> sentences;
  for (const GameRuns& game : games) {
    for (const RunGroup& group : game.groups) {
      std::map<std::uint64_t, std::vector<std::string>> folders;
      for (const RunSummary* run : group.runs) {
        folders[run->config.run.seed].push_back(run->directory.lexically_normal().string());
      }
      for (const auto& [seed, same] : folders) {
        if (same.size() < 2) continue;
        sentences.push_back(fmt::format(
            "{} have the same settings and seed {}: they are counted as {} repetitions but are "
            "not independent, so intervals are too narrow; name one of them",
            fmt::join(same, ", "), seed, same.size()));
      }
    }
  }
  return sentences;
}

}  // namespace gorila
