#include "gorila/env/game_list.h"

#include <absl/strings/str_split.h>

#include <algorithm>
#include <array>

#include "gorila/base/nearest.h"
#include "gorila/env/atari/game_names.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

constexpr std::array<std::string_view, 3> kLists = {"atari49", "minatar", "pixel"};

bool IsOurs(std::string_view name) {
  const std::vector<std::string_view> names = EnvironmentNames();
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsPlugin(std::string_view name) {
  const auto external = ParseExternalName(name);
  return external && (external->kind == ExternalKind::kPlugin ||
                      external->kind == ExternalKind::kPluginProcess);
}

Status WhyNotListed(std::string_view name) {
  if (name.empty()) return InvalidArgument("a list of games has an empty name");
  if (const auto external = ParseExternalName(name)) return CheckExternalName(*external);
  std::vector<std::string_view> known = EnvironmentNames();
  known.insert(known.end(), kLists.begin(), kLists.end());
  return InvalidArgument(
      "unknown environment '{}' in a list of games; did you mean '{}'? (gorila envs lists them)",
      name, NearestPath(name, known));
}

}  // namespace

std::span<const std::string_view> GameLists() { return kLists; }

std::vector<std::string> GamesOfList(std::string_view list) {
  std::vector<std::string> games;
  if (std::find(kLists.begin(), kLists.end(), list) == kLists.end()) return games;
  if (list == "atari49") {
    for (const std::string_view game : atari::kPaperGames) {
      games.push_back(fmt::format("{}{}", atari::kAtariFolder, game));
    }
    return games;
  }
  for (const EnvironmentRow& row : EnvironmentTable()) {
    if (row.name.starts_with(fmt::format("{}/", list))) games.emplace_back(row.name);
  }
  return games;
}

// The path of a plug-in may have a ',': what follows is then no name.
std::vector<std::string> SplitGames(std::string_view text) {
  std::vector<std::string> games;
  const std::vector<std::string> pieces = absl::StrSplit(std::string(text), ',');
  for (const std::string& piece : pieces) {
    const bool is_name = IsOurs(piece) || !GamesOfList(piece).empty() || ParseExternalName(piece);
    if (!is_name && !games.empty() && IsPlugin(games.back())) {
      games.back() += "," + piece;
    } else {
      games.push_back(piece);
    }
  }
  return games;
}

StatusOr<std::vector<std::string>> ExpandGames(std::string_view text) {
  std::vector<std::string> games;
  const std::vector<std::string> names = SplitGames(text);
  for (const std::string& name : names) {
    std::vector<std::string> expanded = GamesOfList(name);
    if (expanded.empty()) expanded = {name};
    for (std::string& game : expanded) {
      if (names.size() > 1 && !IsOurs(game)) GORILA_RETURN_IF_ERROR(WhyNotListed(game));
      if (std::find(games.begin(), games.end(), game) != games.end()) {
        return InvalidArgument("a list of games has '{}' twice; expected each game once", game);
      }
      games.push_back(std::move(game));
    }
  }
  return games;
}

std::string GamesLabel(std::string_view text) {
  const std::vector<std::string> games = SplitGames(text);
  constexpr std::size_t kMostNamed = 3;
  if (games.size() == 1) return std::string(text);
  for (const std::string_view list : kLists) {
    if (GamesOfList(list) == games) return std::string(list);
  }
  if (games.size() <= kMostNamed && std::all_of(games.begin(), games.end(), &IsOurs)) {
    return std::string(text);
  }
  return fmt::format("{} games", games.size());
}

}  // namespace gorila
