#include "gorila/report/group_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

#include "gorila/config/config_keys.h"
#include "gorila/report/run_groups.h"

namespace gorila {
namespace {

// More than a legend has room for.
constexpr std::size_t kMostKeys = 4;
constexpr std::string_view kAlgorithm = "learner.algorithm";
constexpr std::string_view kFitsGames = "actor.environments";  // follows from the games
constexpr std::string_view kInitialFile = "network.init_from";
constexpr std::string_view kInitialRecord = "network.init_record";

using Peers = std::vector<const GroupSettings*>;

const std::string& ValueOf(const GroupSettings& group, std::string_view key) {
  return group.settings.at(std::string(key));
}

bool Differ(const Peers& peers, std::string_view key) {
  return std::any_of(peers.begin(), peers.end(), [&](const GroupSettings* peer) {
    return ValueOf(*peer, key) != ValueOf(*peers.front(), key);
  });
}

bool DifferInGames(const Peers& peers) {
  return std::any_of(peers.begin(), peers.end(), [&](const GroupSettings* peer) {
    return peer->games != peers.front()->games;
  });
}

std::vector<std::string_view> DifferingKeys(const Peers& peers) {
  std::vector<std::string_view> keys;
  for (const ConfigKey& key : ConfigKeys()) {
    if (!peers.front()->settings.contains(std::string(key.name))) continue;
    if (key.name == kFitsGames && DifferInGames(peers)) continue;
    if (Differ(peers, key.name)) keys.push_back(key.name);
  }
  return KeysToShow(keys);
}

std::size_t Distinct(const Peers& peers, std::span<const std::string_view> keys) {
  std::set<std::vector<std::string>> seen;
  for (const GroupSettings* peer : peers) {
    std::vector<std::string> values = {peer->games};
    for (const std::string_view key : keys) values.push_back(ValueOf(*peer, key));
    seen.insert(std::move(values));
  }
  return seen.size();
}

// Few of `keys` that tell the peers apart as well as all of them: the algorithm if it is one of
// them, then whichever helps most.
std::vector<std::string_view> Telling(const Peers& peers, std::span<const std::string_view> keys) {
  const std::size_t all = Distinct(peers, keys);
  std::vector<std::string_view> chosen;
  if (keys.front() == kAlgorithm) chosen.push_back(kAlgorithm);
  while (Distinct(peers, chosen) < all) {
    std::string_view best;
    std::size_t most = 0;
    for (const std::string_view key : keys) {
      std::vector<std::string_view> tried = chosen;
      tried.push_back(key);
      const std::size_t distinct = Distinct(peers, tried);
      if (distinct <= most) continue;
      most = distinct;
      best = key;
    }
    chosen.push_back(best);
  }
  return chosen;
}

// As people read it: names without their quotes.
std::string Shown(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
  return std::string(quoted ? value.substr(1, value.size() - 2) : value);
}

void Append(std::string_view part, std::string& text) {
  text += text.empty() ? "" : ", ";
  text += part;
}

// What tells each of the peers from the others.
std::vector<std::string> Differences(const Peers& peers) {
  const std::vector<std::string_view> differing = DifferingKeys(peers);
  std::vector<std::string_view> keys = differing;
  if (differing.size() > kMostKeys) keys = Telling(peers, differing);
  std::vector<std::string> texts;
  for (const GroupSettings* peer : peers) {
    std::string text;
    for (const std::string_view key : keys) {
      Append(fmt::format("{}={}", ShortKey(key), Shown(ValueOf(*peer, key))), text);
    }
    if (keys.size() < differing.size()) {
      text += fmt::format(" and {} more", differing.size() - keys.size());
    }
    if (DifferInGames(peers)) {
      Append(peer->games.empty() ? "a network for each game" : "one network for " + peer->games,
             text);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

std::vector<std::string_view> KeysToShow(std::span<const std::string_view> differing) {
  const bool has_file =
      std::find(differing.begin(), differing.end(), kInitialFile) != differing.end();
  std::vector<std::string_view> keys;
  for (const std::string_view key : differing) {
    if (key == kInitialRecord && has_file) continue;
    keys.insert(key == kAlgorithm ? keys.begin() : keys.end(), key);
  }
  return keys;
}

std::vector<std::string> GroupLabels(std::span<const GroupSettings> groups) {
  std::vector<std::string> labels(groups.size());
  std::map<std::string, std::vector<std::size_t>> places;  // by the chosen label
  for (std::size_t i = 0; i < groups.size(); ++i) places[groups[i].chosen].push_back(i);
  for (const auto& [chosen, peers_at] : places) {
    Peers peers;
    for (const std::size_t i : peers_at) peers.push_back(&groups[i]);
    const std::vector<std::string> differences = Differences(peers);
    for (std::size_t k = 0; k < peers.size(); ++k) {
      std::string& label = labels[peers_at[k]];
      label = chosen;
      if (!differences[k].empty()) Append(differences[k], label);
    }
  }
  return labels;
}

}  // namespace gorila
