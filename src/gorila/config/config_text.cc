// The configuration written for people: as TOML and as Markdown.
#include "gorila/config/config_keys.h"
#include "gorila/config/presets.h"

namespace gorila {
namespace {

// Lists that grow would make the page out of date.
std::string DocumentedRange(const ConfigField& field) {
  const auto* const name = std::get_if<NameField>(&field);
  if (name == nullptr || name->choices == nullptr || !name->grows) return AllowedText(field);
  return "a name; `gorila config` lists them";
}

}  // namespace

std::string ConfigComment(const ConfigKey& key) {
  std::string comment = fmt::format("# {}.\n", key.meaning);
  if (!key.paper.empty()) comment += fmt::format("# {}.\n", key.paper);
  return comment;
}

std::string ToToml(const Config& config) {
  std::string text;
  std::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.section() != section) {
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", key.section());
      section = key.section();
    }
    text += fmt::format("{}# Allowed: {}.\n{} = {}\n", ConfigComment(key), AllowedText(key.field),
                        key.last_part(), ValueText(key.field, config));
  }
  return text;
}

std::string ConfigMarkdown() {
  const StatusOr<Config> defaults = LoadPreset(kDefaultPreset);
  GORILA_CHECK(defaults.ok(), "{}", std::string(defaults.status().message()));
  std::string text;
  std::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.section() != section) {
      text += fmt::format(
          "{}### [{}]\n\n| key | meaning | default | allowed | published |\n"
          "|---|---|---|---|---|\n",
          section.empty() ? "" : "\n", key.section());
      section = key.section();
    }
    text += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", key.name, key.meaning,
                        ValueText(key.field, *defaults), DocumentedRange(key.field), key.paper);
  }
  return text;
}

}  // namespace gorila
