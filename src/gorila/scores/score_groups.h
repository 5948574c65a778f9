// Which scores may be averaged. Pure.
#ifndef GORILA_SCORES_SCORE_GROUPS_H_
#define GORILA_SCORES_SCORE_GROUPS_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "gorila/scores/score_results.h"

namespace gorila {

// Scores of one game by one protocol that are repetitions of each other: of runs whose settings
// differ in nothing but what `gorila report` lets them differ in, or of one file.
struct ScoreGroup {
  std::string game;
  std::string protocol;
  std::map<std::string, std::string> settings;  // empty: not recorded
  std::vector<std::string> sources;             // one a score
  std::vector<double> scores;
  int shared_by = 1;  // games, by the network that was scored
  // What tells it from the other groups of this game and protocol, "learner.n_step=1" or a file.
  // Empty where there are no others. Always says where several games share the network.
  std::string label = {};
};

// In the order of game and protocol, then as given.
std::vector<ScoreGroup> GroupResults(std::span<const ScoreResult> results);

// "one network for all 5 games".
std::string SharedText(int games);

// The keys in which groups whose settings are recorded differ, ascending.
std::vector<std::string> DifferingSettings(std::span<const ScoreGroup* const> groups);

}  // namespace gorila

#endif  // GORILA_SCORES_SCORE_GROUPS_H_
