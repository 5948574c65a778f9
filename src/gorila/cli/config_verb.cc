#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/table_text.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/presets.h"
#include "gorila/run/run_directory.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kConfigFlags[] = {kEnvFlag};

struct ConfigOptions {
  ConfigFlags config;
  bool markdown = false;
  std::vector<std::string> diff;  // two
};

// As the exit status of diff; trouble is kBadInput, as there.
constexpr int kDifferent = 1;

bool IsPreset(std::string_view name) {
  const auto presets = Presets();
  return std::any_of(presets.begin(), presets.end(),
                     [name](const Preset& preset) { return preset.name == name; });
}

// Of a run's folder, a TOML file or, where neither has the name, a preset.
StatusOr<Config> ConfigOf(const std::string& name) {
  const fs::path path = name;
  std::error_code error;
  if (fs::exists(path / "config.toml", error)) return LoadRunConfig(path / "config.toml");
  const bool is_folder = fs::is_directory(path, error);
  if (!is_folder && fs::exists(path, error)) return LoadConfig({.file = path});
  if (IsPreset(name)) return LoadPreset(name);
  if (is_folder) return CheckIsRun(path);
  std::vector<std::string_view> names;
  for (const Preset& preset : Presets()) names.push_back(preset.name);
  return NotFound("'{}' is neither a run's folder nor a TOML file nor a preset{}", name,
                  name.find('/') == name.npos
                      ? fmt::format("; did you mean {}?", NearestNamesText(name, names))
                      : "");
}

StatusOr<int> PrintDifferences(const std::string& a, const std::string& b) {
  GORILA_ASSIGN_OR_RETURN(const Config one, ConfigOf(a));
  GORILA_ASSIGN_OR_RETURN(const Config other, ConfigOf(b));
  std::vector<std::vector<std::string>> rows = {{"key", a, b}};
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string value = ValueText(key.field, one);
    const std::string other_value = ValueText(key.field, other);
    if (value != other_value) rows.push_back({std::string(key.name), value, other_value});
  }
  if (rows.size() == 1) {
    fmt::print("no key differs\n");
    return kSuccess;
  }
  PrintTable(rows);
  return kDifferent;
}

StatusOr<int> Diff(const std::vector<std::string>& names) {
  const StatusOr<int> status = PrintDifferences(names.at(0), names.at(1));
  if (status.ok()) return status;
  // Whatever went wrong: 1 would mean that they differ.
  return InvalidArgument("--diff: {}", std::string(status.status().message()));
}

// --diff takes complete configurations; what else was given would have no effect.
Status CheckAlone(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->get_name() == "--diff") continue;
    return InvalidArgument("--diff: expected A and B alone, without {}", option->get_name());
  }
  return OkStatus();
}

StatusOr<int> PrintConfig(const ConfigOptions& options) {
  if (options.markdown) {
    fmt::print("{}", ConfigMarkdown());
    return kSuccess;
  }
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  fmt::print("{}", ToToml(config));
  return kSuccess;
}

constexpr CommandText kConfigText = {.name = "config",
                                     .summary = "Print a configuration with every key explained",
                                     .details = R"(The output is a TOML file that --config reads.

--diff prints the keys in which two configurations differ, with both values, a line each. A and B
are runs' folders, TOML files or presets. Exit status as diff's: 0 when no key differs, 1 when some
do, 2 for trouble.
)",
                                     .examples = R"(gorila config --preset dqn
gorila config --set run.bundles=4 > mine.toml && gorila train --config mine.toml
gorila config --diff runs/a runs/b
gorila config --diff minatar runs/a
)"};

}  // namespace

Verb AddConfigVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kConfigText);
  const auto options = std::make_shared<ConfigOptions>();
  options->config.AddKeys(*app, kConfigFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  app->add_flag("--markdown", options->markdown, "Print tables of all keys instead, with defaults");
  app->add_option("--diff", options->diff, "Print what differs between two configurations")
      ->type_name("A B")
      ->expected(2);
  return {app, [app, options](const Invocation&) -> StatusOr<int> {
            if (options->diff.empty()) return PrintConfig(*options);
            GORILA_RETURN_IF_ERROR(CheckAlone(*app));
            return Diff(options->diff);
          }};
}

}  // namespace gorila::cli
