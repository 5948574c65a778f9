#include "gorila/config/presets.h"

#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/config/config_keys.h"

namespace gorila {

StatusOr<Config> LoadPreset(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Preset& preset : Presets()) {
    names.push_back(preset.name);
    if (preset.name != name) continue;
    const std::string source = fmt::format("preset {}", name);
    GORILA_ASSIGN_OR_RETURN(const std::string base, BasePreset(preset.text, source));
    Config config;
    if (!base.empty()) {
      GORILA_ASSIGN_OR_RETURN(config, LoadPreset(base));
    }
    GORILA_RETURN_IF_ERROR(ApplyToml(config, preset.text, source));
    return config;
  }
  return InvalidArgument("unknown preset '{}'; did you mean {}? 'gorila train --help' lists all",
                         name, NearestNamesText(name, names));
}

}  // namespace gorila
