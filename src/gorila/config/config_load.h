// Where a run's configuration comes from.
#ifndef GORILA_CONFIG_CONFIG_LOAD_H_
#define GORILA_CONFIG_CONFIG_LOAD_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

// Each overrides the one before it.
struct ConfigSources {
  std::string preset = {};             // empty: the file's, or else the default
  std::filesystem::path file = {};     // TOML; empty: none
  std::vector<std::string> sets = {};  // "section.key=value", in order
};

// Flags come after these, through SetConfigValue(), and then CheckConfig(). NotFound or Unavailable
// for the file; DataLoss for a run's file (RunConfigText) with missing keys; InvalidArgument for
// its contents, for an unknown preset, for a set, or when `preset` and the file name different
// presets.
StatusOr<Config> LoadConfig(const ConfigSources& sources);

// A run's config.toml: every key, below a line that says how many there are. A program that knows
// more keys can tell a run of an earlier version, which has all of its keys, from a file that was
// cut off.
std::string RunConfigText(const Config& config);

// Such a file. DataLoss, naming a key, when some are missing; without the first line, as earlier
// versions wrote it, when the last key or the end of its line is. Otherwise as LoadConfig.
StatusOr<Config> LoadRunConfig(const std::filesystem::path& file);

// Applies one "section.key=value". InvalidArgument names the key; then `config` is unchanged.
Status ApplySet(Config& config, std::string_view set);

// Takes the ROM folder from ALE's own variable, for games that need one and have none configured.
Status UseRomsVariable(Config& config);

}  // namespace gorila

#endif  // GORILA_CONFIG_CONFIG_LOAD_H_
