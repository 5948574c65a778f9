#include "gorila/runtime/config_load.h"

#include <string_view>

#include "gorila/base/file.h"
#include "gorila/runtime/config_keys.h"
#include "gorila/runtime/presets.h"

namespace gorila {
namespace {

// The preset to start from, given the file's text.
StatusOr<std::string> ChoosePreset(const ConfigSources& sources, std::string_view text) {
  GORILA_ASSIGN_OR_RETURN(std::string base, BasePreset(text, sources.file.string()));
  if (base.empty()) {
    return sources.preset.empty() ? std::string(kDefaultPreset) : sources.preset;
  }
  if (!sources.preset.empty() && sources.preset != base) {
    return InvalidArgument(
        "preset '{}' was asked for, but {} starts from preset '{}'; expected one", sources.preset,
        sources.file.string(), base);
  }
  return base;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

}  // namespace

Status ApplySet(Config& config, std::string_view set) {
  const std::size_t equals = set.find('=');
  if (equals == std::string_view::npos) {
    return InvalidArgument("--set '{}'; expected section.key=value", set);
  }
  return Annotate(
      SetConfigValue(config, Trimmed(set.substr(0, equals)), Trimmed(set.substr(equals + 1))),
      "--set");
}

StatusOr<Config> LoadConfig(const ConfigSources& sources) {
  std::string text;
  if (!sources.file.empty()) {
    GORILA_ASSIGN_OR_RETURN(text, ReadFile(sources.file));
  }
  GORILA_ASSIGN_OR_RETURN(const std::string preset, ChoosePreset(sources, text));
  GORILA_ASSIGN_OR_RETURN(Config config, LoadPreset(preset));
  GORILA_RETURN_IF_ERROR(ApplyToml(config, text, sources.file.string()));
  for (const std::string& set : sources.sets) GORILA_RETURN_IF_ERROR(ApplySet(config, set));
  return config;
}

}  // namespace gorila
