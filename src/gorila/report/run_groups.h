// Which runs are repetitions of each other.
#ifndef GORILA_REPORT_RUN_GROUPS_H_
#define GORILA_REPORT_RUN_GROUPS_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/config/config.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// Runs of one game, or of the same several ones, whose settings differ only in the seed and in keys
// that leave training as it is.
struct RunGroup {
  std::string label;  // differs from those of the game's other groups
  std::vector<const RunSummary*> runs;
  // Groups of other games whose settings differ only in the game have the same number and, where
  // one of the games has several groups, the same label. Counts from 0 in the order of the runs.
  std::size_t agent = 0;
};

struct GameRuns {
  std::string environment;       // as people read it: GamesLabel() of several games
  std::vector<RunGroup> groups;  // in the order of their agents
};

// Every setting that two repetitions have in common, the game included: values as configuration
// files have them, by key. Of one game among several (OneGame()) the name says which they are.
// Left out are the seed and keys that say only where, how long or how closely watched a run was.
std::map<std::string, std::string> RepeatedSettings(const Config& config);

// The keys that RepeatedSettings() leaves out.
std::vector<std::string> RunOnlyKeys();

// The last part of a key where no other key ends in it: "n_step", but "optimizer.epsilon".
std::string ShortKey(std::string_view key);

// Games in the order given. A label that was chosen (not the folder's name) separates groups as
// well. Other labels say in which settings groups differ: "n_step=3, learning_rate=0.001"; where
// they are many, only as many as tell the groups apart. A group without other ones to be told from
// is called as its only run is, or as its game. `runs` must outlive the result.
std::vector<GameRuns> GroupRuns(std::span<const RunSummary> runs);

// One sentence for each two runs or more of a group that have the same seed: whatever is computed
// from them takes them for independent.
std::vector<std::string> RepeatedSeeds(std::span<const GameRuns> games);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_GROUPS_H_
