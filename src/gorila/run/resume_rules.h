// What a resumed run may change. A run's state (checkpoints, servers' snapshots) records the keys
// that it depends on, so that a resume with another value is refused by name.
#ifndef GORILA_RUN_RESUME_RULES_H_
#define GORILA_RUN_RESUME_RULES_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

enum class ResumeRule {
  kFree,       // may differ at every resume
  kStart,      // takes effect only when a run starts
  kTask,       // what the agent learns to play
  kNetwork,    // the parameters' shapes
  kAlgorithm,  // what the network's outputs mean: another algorithm may be one that agrees
  kOptimizer,  // the optimizer's slots
  kReplay,     // the replay memory, where it is saved
  kBundles,    // bundles' states, which only a run in one process saves
  kShards,     // snapshots of the parameter servers, which only a launched run has
};

// Of every key of the configuration. InvalidArgument for an unclassified one.
StatusOr<ResumeRule> ResumeRuleOf(std::string_view key);

// The algorithms that give the outputs of a network the same meaning as this one does, which is
// among them; empty for an unknown one.
std::vector<std::string_view> AlgorithmsLike(std::string_view algorithm);

enum class RunKind;  // run_directory.h

// The keys that the state of a run with this configuration depends on, with their values as text.
using MadeWith = std::map<std::string, std::string, std::less<>>;
MadeWith StateKeys(const Config& config, RunKind kind);

// Which run resumes with further games (added_games.h).
enum class FurtherGames {
  kNone,
  kOfTrained,   // its bundles begin anew, with empty replay memories
  kOfLaunched,  // its replay shards keep their rows
};

// InvalidArgument naming the first key whose value in `config` is not the one that the state was
// made with. `state` names the state: "'runs/a/checkpoints/000000004000'".
Status CheckResumable(const MadeWith& made_with, const Config& config, std::string_view state,
                      FurtherGames games = FurtherGames::kNone);

}  // namespace gorila

#endif  // GORILA_RUN_RESUME_RULES_H_
