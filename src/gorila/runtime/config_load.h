// Where a run's configuration comes from.
#ifndef GORILA_RUNTIME_CONFIG_LOAD_H_
#define GORILA_RUNTIME_CONFIG_LOAD_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/runtime/config.h"

namespace gorila {

// Each overrides the one before it.
struct ConfigSources {
  std::string preset = {};             // empty: the file's, or else the default
  std::filesystem::path file = {};     // TOML; empty: none
  std::vector<std::string> sets = {};  // "section.key=value", in order
};

// Flags come after these, through SetConfigValue(), and then CheckConfig(). NotFound or Unavailable
// for the file; InvalidArgument for what stands in it, for an unknown preset, for a set, or when
// `preset` and the file name different presets.
StatusOr<Config> LoadConfig(const ConfigSources& sources);

// Applies one "section.key=value". InvalidArgument names the key; then `config` is unchanged.
Status ApplySet(Config& config, std::string_view set);

}  // namespace gorila

#endif  // GORILA_RUNTIME_CONFIG_LOAD_H_
