#include "gorila/config/config_load.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/config/presets.h"
#include "gorila/env/atari/game_names.h"
#include "gorila/env/atari/rom_folder.h"

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

constexpr std::string_view kHead =
    "# The configuration of a run; all of its keys, of which there are ";

// How many keys a run's file says that it has.
std::optional<std::size_t> CountInHead(std::string_view text) {
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  std::size_t keys = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), keys);
  if (error != std::errc() || rest == text.data() + text.size()) return std::nullopt;
  return keys;
}

// Of a run's file, which nobody may complete with defaults: it would be another run.
Status CheckNothingIsCutOff(std::string_view text, std::string_view source) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<std::string_view> missing, MissingKeys(text, source));
  const std::size_t all = ConfigKeys().size();
  const std::size_t expected = CountInHead(text).value_or(0);
  std::string_view lacks;
  if (all - missing.size() < expected || (!missing.empty() && missing.size() == all)) {
    lacks = missing.front();
  } else if (!missing.empty() && missing.back() == ConfigKeys().back().name && expected == 0) {
    lacks = missing.back();
  } else if (!text.empty() && text.back() == '\n') {
    return OkStatus();
  } else {
    return DataLoss("{}: the last line has no end, so the file may be cut off; complete it",
                    source);
  }
  return DataLoss(
      "{}: the key '{}' is missing, so the file may be cut off; add the keys that the run had",
      source, lacks);
}

StatusOr<Config> Load(const ConfigSources& sources, bool is_run) {
  std::string text;
  if (!sources.file.empty()) {
    GORILA_ASSIGN_OR_RETURN(text, ReadFileOf(kSettingsFile, sources.file));
  }
  const std::string source = sources.file.string();
  GORILA_ASSIGN_OR_RETURN(const std::string preset, ChoosePreset(sources, text));
  GORILA_ASSIGN_OR_RETURN(Config config, LoadPreset(preset));
  GORILA_RETURN_IF_ERROR(ApplyToml(config, text, source));
  if (is_run || CountInHead(text)) GORILA_RETURN_IF_ERROR(CheckNothingIsCutOff(text, source));
  for (const std::string& set : sources.sets) GORILA_RETURN_IF_ERROR(ApplySet(config, set));
  return config;
}

}  // namespace

std::string RunConfigText(const Config& config) {
  return fmt::format("{}{}\n\n{}", kHead, ConfigKeys().size(), ToToml(config));
}

StatusOr<Config> LoadConfig(const ConfigSources& sources) { return Load(sources, false); }

StatusOr<Config> LoadRunConfig(const std::filesystem::path& file) {
  return Load({.file = file}, true);
}

Status ApplySet(Config& config, std::string_view set) {
  const std::size_t equals = set.find('=');
  if (equals == std::string_view::npos) {
    return InvalidArgument("--set '{}'; expected section.key=value", set);
  }
  return Annotate(
      SetConfigValue(config, Trimmed(set.substr(0, equals)), Trimmed(set.substr(equals + 1))),
      "--set");
}

Status UseRomsVariable(Config& config) {
  const std::vector<std::string> games = GamesOf(config);
  const auto needs_rom = [](std::string_view game) {
    return game.starts_with(atari::kAtariFolder);
  };
  if (std::none_of(games.begin(), games.end(), needs_rom)) return OkStatus();
  const std::string folder = atari::RomFolder(config.environment.options.atari.rom_folder);
  return Annotate(SetConfigValue(config, "atari.rom_folder", folder), atari::kRomsVariable);
}

}  // namespace gorila
