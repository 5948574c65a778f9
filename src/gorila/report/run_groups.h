// Which runs are repetitions of each other.
#ifndef GORILA_REPORT_RUN_GROUPS_H_
#define GORILA_REPORT_RUN_GROUPS_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "gorila/config/config.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// Runs of one game, or of the same several ones, whose settings differ only in the seed and in keys
// that leave training as it is.
struct RunGroup {
  std::string label;  // differs from those of the game's other groups
  std::vector<const RunSummary*> runs;
};

struct GameRuns {
  std::string environment;  // as people read it: GamesLabel() of several games
  std::vector<RunGroup> groups;
};

// Every setting that two repetitions have in common, the game included: values as configuration
// files have them, by key. Of one game among several (OneGame()) the name says which they are.
std::map<std::string, std::string> RepeatedSettings(const Config& config);

// In the order given. A label that was chosen (not the folder's name) separates groups as well.
// Labels say in which settings groups differ where names do not tell them apart. `runs` must
// outlive the result.
std::vector<GameRuns> GroupRuns(std::span<const RunSummary> runs);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_GROUPS_H_
