// What groups of runs are called: by the settings in which they differ.
#ifndef GORILA_REPORT_GROUP_LABELS_H_
#define GORILA_REPORT_GROUP_LABELS_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gorila {

// Of a group, whatever its game is.
struct GroupSettings {
  std::string chosen;                           // its label, where somebody gave it one
  std::map<std::string, std::string> settings;  // but for the game
  std::string games;                            // that share its network; empty: there is one
};

// Of keys in which runs differ those that tell people something, in their order but the algorithm
// first, which says most: the checksum of an initial network says nothing beside its path.
std::vector<std::string_view> KeysToShow(std::span<const std::string_view> differing);

// One a group, in their order. The chosen label; where several groups have the same one or none,
// what differs among them too. Empty where there is nothing to say. Different groups' differ.
std::vector<std::string> GroupLabels(std::span<const GroupSettings> groups);

}  // namespace gorila

#endif  // GORILA_REPORT_GROUP_LABELS_H_
