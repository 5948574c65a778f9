#include "gorila/cli/config_flags.h"

#include <CLI/App.hpp>
#include <algorithm>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/config/presets.h"

namespace gorila::cli {

void ConfigFlags::AddPreset(CLI::App& app) {
  std::vector<std::string_view> names;
  for (const Preset& preset : Presets()) names.push_back(preset.name);
  app.add_option("--preset", preset_,
                 fmt::format("Settings to start from: {} (default: {})", fmt::join(names, ", "),
                             kDefaultPreset))
      ->type_name("NAME");
}

void ConfigFlags::AddSources(CLI::App& app) {
  AddPreset(app);
  app.add_option("--config", file_, "TOML file whose keys override the preset's")
      ->type_name("FILE");
}

void ConfigFlags::AddSets(CLI::App& app) {
  app.add_option("--set", sets_, "Set a configuration key ('gorila config' lists them); repeatable")
      ->type_name("SECTION.KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
}

void ConfigFlags::AddKeys(CLI::App& app, std::span<const KeyFlag> flags) {
  for (const KeyFlag& flag : flags) {
    const std::string help = flag.help;
    const bool has_value = !std::string_view(flag.type).empty();
    std::string names = flag.flag;
    if (!std::string_view(flag.older).empty()) names += fmt::format(",{}", flag.older);
    CLI::Option* const option =
        has_value ? app.add_option(names, help)->type_name(flag.type) : app.add_flag(names, help);
    // The last value counts, because scripts append flags to given ones.
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    keys_.push_back({flag, option});
  }
}

bool ConfigFlags::ChangesSource() const {
  return std::any_of(sets_.begin(), sets_.end(), [](std::string_view set) {
    return !set.starts_with("run.") && !set.starts_with("environment.name");
  });
}

std::string ConfigFlags::SourceName() const {
  std::string name = preset_.empty() ? std::string(kDefaultPreset) : preset_;
  if (!file_.empty()) name = file_.stem().string();  // its keys override the preset's
  return ChangesSource() ? name + "-changed" : name;
}

StatusOr<Config> ConfigFlags::Load() const {
  GORILA_ASSIGN_OR_RETURN(Config config,
                          LoadConfig({.preset = preset_, .file = file_, .sets = {}}));
  GORILA_RETURN_IF_ERROR(ApplyTo(config));
  GORILA_RETURN_IF_ERROR(FitGames(file_, config));
  return config;
}

Status ConfigFlags::FitGames(const std::filesystem::path& file, Config& config) const {
  constexpr std::string_view kKey = "actor.environments";
  if (NumGames(config) < 2 || Sets(kKey)) return OkStatus();
  if (!file.empty()) {
    GORILA_ASSIGN_OR_RETURN(const std::string text, ReadFileOf(kSettingsFile, file));
    GORILA_ASSIGN_OR_RETURN(const auto missing, MissingKeys(text, file.string()));
    if (std::find(missing.begin(), missing.end(), kKey) == missing.end()) return OkStatus();
  }
  FitEnvironments(config);
  return OkStatus();
}

Status ConfigFlags::ApplyTo(Config& config) const {
  for (const std::string& set : sets_) GORILA_RETURN_IF_ERROR(ApplySet(config, set));
  for (const KeyOption& key : keys_) {
    if (key.option->count() == 0) continue;
    const bool has_value = !std::string_view(key.flag.type).empty();
    const std::string value = has_value ? key.option->results().back() : "true";
    GORILA_RETURN_IF_ERROR(Annotate(SetConfigValue(config, key.flag.key, value), key.flag.flag));
  }
  return UseRomsVariable(config);
}

Status ConfigFlags::ApplyToRun(Config& config) const {
  const int games = NumGames(config);
  GORILA_RETURN_IF_ERROR(ApplyTo(config));
  return NumGames(config) > games ? FitGames({}, config) : OkStatus();
}

const char* ConfigFlags::FlagOf(std::string_view key) const {
  for (const KeyOption& option : keys_) {
    if (option.flag.key == key && option.option->count() > 0) return option.flag.flag;
  }
  return nullptr;
}

bool ConfigFlags::Sets(std::string_view key) const {
  return std::any_of(sets_.begin(), sets_.end(),
                     [key](std::string_view set) { return set.starts_with(key); });
}

}  // namespace gorila::cli
