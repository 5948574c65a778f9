// The options that determine a configuration, shared by all verbs that have them.
#ifndef GORILA_CLI_CONFIG_FLAGS_H_
#define GORILA_CLI_CONFIG_FLAGS_H_

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gorila::cli {

// A flag that sets one key of the configuration. Its value is kept as typed, so that the key's own
// check reports errors.
struct KeyFlag {
  const char* flag;  // "--frames"
  const char* key;   // "run.frames"
  const char* type;  // "N"; empty: a flag without a value, which sets true
  const char* help;
  const char* older = "";  // a name that it had before: accepted, not shown
};

inline constexpr KeyFlag kEnvFlag = {"--env", "environment.name", "NAME",
                                     "The game, or NAME,NAME,...; 'gorila envs' lists them"};
inline constexpr KeyFlag kFramesFlag = {"--frames", "run.frames", "N",
                                        "Environment steps of all bundles together"};
inline constexpr KeyFlag kSecondsFlag = {"--seconds", "run.seconds", "N",
                                         "Seconds of wall time to train for at most"};
inline constexpr KeyFlag kSeedFlag = {"--seed", "run.seed", "N",
                                      "Seed of every random stream of the run"};
inline constexpr KeyFlag kBundlesFlag = {"--bundles", "run.bundles", "N",
                                         "Threads, each an actor, a replay memory and a learner"};
inline constexpr KeyFlag kShardsFlag = {"--shards", "parameter_server.shards", "N",
                                        "Parts that the parameter vector is split into",
                                        "--parameter-servers"};
inline constexpr KeyFlag kDeterministicFlag = {
    "--deterministic", "run.deterministic", "",
    "One thread in a fixed order: the same run again, bit for bit"};
inline constexpr KeyFlag kInitFromFlag = {
    "--init-from", "network.init_from", "RUN|FILE",
    "Begin with a trained network: a run's, a checkpoint's or that of a .safetensors file"};

// Not copied while CLI11 refers to it.
class ConfigFlags {
 public:
  // --preset and --config.
  void AddSources(CLI::App& app);
  // --preset alone, where the file is another argument.
  void AddPreset(CLI::App& app);
  // --set section.key=value.
  void AddSets(CLI::App& app);
  void AddKeys(CLI::App& app, std::span<const KeyFlag> flags);

  const std::string& preset() const { return preset_; }           // "" when none was named
  const std::filesystem::path& file() const { return file_; }     // likewise
  const std::vector<std::string>& sets() const { return sets_; }  // of --set, as typed
  // Replaces them, where a verb gives some of them another meaning.
  void KeepSets(std::vector<std::string> sets) { sets_ = std::move(sets); }
  // The flag that was given for a key; null where none was.
  const char* FlagOf(std::string_view key) const;
  // Whether a --set begins with `key`.
  bool Sets(std::string_view key) const;
  // Whether a preset or file was named.
  bool NamesSource() const { return !preset_.empty() || !file_.empty(); }
  // Whether a --set changes what the source says about more than game, seed and length.
  bool ChangesSource() const;
  // For names of run directories: what the file is called, or the preset; with "-changed" where
  // ChangesSource().
  std::string SourceName() const;

  // Preset, then file, then sets, then flags; not yet checked as a whole (CheckConfig). With
  // several games actor.environments fits them, unless it was given.
  StatusOr<Config> Load() const;
  // With several games makes actor.environments fit them, unless a --set or `file` (empty: none)
  // says how many there are.
  Status FitGames(const std::filesystem::path& file, Config& config) const;
  // The sets and flags on top of `config`.
  Status ApplyTo(Config& config) const;
  // The same to a run's own configuration; actor.environments fits games that join it.
  Status ApplyToRun(Config& config) const;

 private:
  std::string preset_;
  std::filesystem::path file_;
  std::vector<std::string> sets_;
  struct KeyOption {
    KeyFlag flag;
    const CLI::Option* option;
  };
  std::vector<KeyOption> keys_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_CONFIG_FLAGS_H_
