#include "gorila/cli/shared_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/config/config_keys.h"
#include "gorila/run/initial_network.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kVariedHead = "# varied: ";

// Each run's own, and what only places a run's process.
constexpr std::array<std::string_view, 6> kFreeKeys = {"environment.name", "environment.record",
                                                       "run.seed",         "run.cpus",
                                                       "cluster.cpus",     "cluster.memory_mb"};
constexpr std::array<std::string_view, 2> kFreeSections = {"slurm", "kubernetes"};

template <typename Names>
bool Has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsShared(const ConfigKey& key, const std::vector<std::string_view>& varied) {
  return !Has(kFreeKeys, key.name) && !Has(kFreeSections, key.section()) && !Has(varied, key.name);
}

std::vector<std::string_view> VariedKeys(std::span<const SweepAxis> axes) {
  std::vector<std::string_view> names;
  for (const SweepAxis& axis : axes) names.push_back(axis.key->name);
  return names;
}

std::string VariedText(std::span<const SweepAxis> axes) {
  return fmt::format("{}", fmt::join(VariedKeys(axes), ", "));
}

// Of the line that WriteSharedSettings() wrote; empty in a suite's file.
std::string VariedInFile(std::string_view text) {
  const std::size_t found = text.find(kVariedHead);
  if (found == text.npos) return "";
  text.remove_prefix(found + kVariedHead.size());
  return std::string(text.substr(0, text.find('\n')));
}

// Every shared key, with its comment.
std::string SettingsText(const Config& config, std::span<const SweepAxis> axes) {
  std::string text = "# What all runs here have in common; game and seed are each run's own.\n";
  if (!axes.empty()) text += fmt::format("{}{}\n", kVariedHead, VariedText(axes));
  const std::vector<std::string_view> varied = VariedKeys(axes);
  std::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    if (!IsShared(key, varied)) continue;
    if (key.section() != section) text += fmt::format("\n[{}]\n", key.section());
    section = key.section();
    text += fmt::format("{}{} = {}\n", ConfigComment(key), key.last_part(),
                        ValueText(key.field, config));
  }
  return text;
}

fs::path SettingsFile(const fs::path& folder) { return folder / "settings.toml"; }

}  // namespace

Status CheckSharedSettings(const fs::path& folder, const Config& config,
                           std::span<const SweepAxis> axes) {
  std::error_code error;
  if (fs::exists(folder / "config.toml", error)) {
    return InvalidArgument("'{}' is a run; expected a folder for many runs, such as a new one",
                           folder.string());
  }
  const fs::path path = SettingsFile(folder);
  const StatusOr<std::string> text = ReadFileOf(kSettingsFile, path);
  if (absl::IsNotFound(text.status())) return OkStatus();
  GORILA_RETURN_IF_ERROR(text.status());
  if (const std::string before = VariedInFile(*text); before != VariedText(axes)) {
    const auto describe = [](const std::string& keys) {
      return keys.empty() ? std::string("a suite, which varies nothing")
                          : fmt::format("a sweep over {}", keys);
    };
    return InvalidArgument("'{}' belongs to {}; this is {}; expected another --folder",
                           folder.string(), describe(before), describe(VariedText(axes)));
  }
  Config before;  // keys that are newer than the file have their defaults
  GORILA_RETURN_IF_ERROR(ApplyToml(before, *text, path.string()));
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string was = ValueText(key.field, before);
    const std::string is = ValueText(key.field, config);
    if (was == is || !IsShared(key, VariedKeys(axes))) continue;
    return InvalidArgument(
        "'{}' has runs with other settings: {} is {} there (settings.toml), and {} here; expected "
        "the same, or another --folder",
        folder.string(), key.name, was, is);
  }
  return OkStatus();
}

StatusOr<bool> ShareInitialNetwork(const fs::path& folder, std::span<const SweepAxis> axes,
                                   Config& config) {
  if (Has(VariedKeys(axes), "network.init_from")) return false;
  const fs::path path = SettingsFile(folder);
  const StatusOr<std::string> text = ReadFileOf(kSettingsFile, path);
  if (text.ok()) {
    Config before;
    GORILA_RETURN_IF_ERROR(ApplyToml(before, *text, path.string()));
    if (KeepInitialNetwork(before, config)) return true;
    // Folders of older versions recorded nothing.
    if (before.network.init_record == "none") return false;
  }
  GORILA_RETURN_IF_ERROR(RecordInitialSource(config));
  return false;
}

Status WriteSharedSettings(const fs::path& folder, const Config& config,
                           std::span<const SweepAxis> axes) {
  std::error_code error;
  if (fs::exists(SettingsFile(folder), error)) return OkStatus();
  GORILA_RETURN_IF_ERROR(CreateFolders(folder));
  return WriteFileAtomically(SettingsFile(folder), SettingsText(config, axes));
}

}  // namespace gorila::cli
