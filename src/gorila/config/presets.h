// Named configurations, compiled into the program from configs/*.toml.
#ifndef GORILA_CONFIG_PRESETS_H_
#define GORILA_CONFIG_PRESETS_H_

#include <span>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

struct Preset {
  std::string_view name;
  std::string_view summary;  // the text's first comment line
  std::string_view text;     // TOML
};

// What a run starts from when nothing else is asked for.
inline constexpr std::string_view kDefaultPreset = "minatar";

// The default first.
std::span<const Preset> Presets();

// InvalidArgument with the nearest known name when there is no such preset.
StatusOr<Config> LoadPreset(std::string_view name);

}  // namespace gorila

#endif  // GORILA_CONFIG_PRESETS_H_
