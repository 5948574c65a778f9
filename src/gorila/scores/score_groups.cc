#include "gorila/scores/score_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace gorila {
namespace {

// Without settings nothing is known of how two files' scores compare.
bool AreRepetitions(const ScoreGroup& group, const ScoreResult& result) {
  return group.game == result.game && group.protocol == result.protocol &&
         group.settings == result.settings && group.shared_by == result.shared_by &&
         (!result.settings.empty() || group.sources.front() == result.source);
}

std::string Label(const ScoreGroup& group, std::span<const std::string> keys) {
  std::string label;
  for (const std::string& key : keys) {
    const auto found = group.settings.find(key);
    if (found == group.settings.end()) continue;
    label += fmt::format("{}{}={}", label.empty() ? "" : ", ", key, found->second);
  }
  return label.empty() ? group.sources.front() : label;
}

void LabelAll(std::span<ScoreGroup> alternatives) {
  if (alternatives.size() < 2) return;
  std::vector<const ScoreGroup*> groups;
  for (const ScoreGroup& group : alternatives) groups.push_back(&group);
  const std::vector<std::string> keys = DifferingSettings(groups);
  for (ScoreGroup& group : alternatives) group.label = Label(group, keys);
}

}  // namespace

std::vector<std::string> DifferingSettings(std::span<const ScoreGroup* const> groups) {
  std::map<std::string, std::set<std::string>> values;
  for (const ScoreGroup* group : groups) {
    for (const auto& [key, value] : group->settings) values[key].insert(value);
  }
  std::vector<std::string> keys;
  for (const auto& [key, seen] : values) {
    if (seen.size() > 1) keys.push_back(key);
  }
  return keys;
}

std::string SharedText(int games) { return fmt::format("one network for all {} games", games); }

std::vector<ScoreGroup> GroupResults(std::span<const ScoreResult> results) {
  std::vector<ScoreGroup> groups;
  for (const ScoreResult& result : results) {
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const ScoreGroup& one) { return AreRepetitions(one, result); });
    if (group == groups.end()) {
      group = groups.insert(group, {.game = result.game,
                                    .protocol = result.protocol,
                                    .settings = result.settings,
                                    .sources = {},
                                    .scores = {},
                                    .shared_by = result.shared_by});
    }
    group->sources.push_back(result.source);
    group->scores.push_back(result.score);
  }
  const auto is_before = [](const ScoreGroup& a, const ScoreGroup& b) {
    return std::tie(a.game, a.protocol) < std::tie(b.game, b.protocol);
  };
  std::stable_sort(groups.begin(), groups.end(), is_before);
  for (auto first = groups.begin(); first != groups.end();) {
    const auto last = std::upper_bound(first, groups.end(), *first, is_before);
    LabelAll({first, last});
    first = last;
  }
  for (ScoreGroup& group : groups) {
    if (group.shared_by == 1) continue;
    group.label += group.label.empty() ? "" : ", ";
    group.label += SharedText(group.shared_by);
  }
  return groups;
}

}  // namespace gorila
