// Every key of the configuration, listed once; reading, writing and checking all go through the
// list.
#ifndef GORILA_CONFIG_CONFIG_KEYS_H_
#define GORILA_CONFIG_CONFIG_KEYS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/config/config_field.h"

namespace gorila {

struct ConfigKey {
  std::string_view name;     // "learner.batch_size"
  std::string_view meaning;  // one line, with its unit
  std::string_view paper;    // what the papers use, "Gorila: ...; DQN: ..."; empty where nothing
  ConfigField field;

  std::string_view section() const { return name.substr(0, name.find('.')); }
  std::string_view last_part() const { return name.substr(name.find('.') + 1); }
};

// All keys; those of a section lie together.
std::span<const ConfigKey> ConfigKeys();

// InvalidArgument with the nearest known key when there is no such one.
StatusOr<const ConfigKey*> FindConfigKey(std::string_view name);

// Sets one key from the text of a command line: as in a TOML file, but names need no quotes, and
// whole numbers may be written as 1e6 or 1M. InvalidArgument with key, value and what is allowed;
// then `config` is unchanged.
Status SetConfigValue(Config& config, std::string_view key, std::string_view text);

// Sets the keys that a TOML document names. `source` is named in errors, with the line. A first key
// `preset` is accepted and left to LoadConfig(). On an error `config` is unchanged.
Status ApplyToml(Config& config, std::string_view text, std::string_view source);

// The document's `preset`, or "" when it names none.
StatusOr<std::string> BasePreset(std::string_view text, std::string_view source);

// The keys that the document does not set, in the order of ConfigKeys().
StatusOr<std::vector<std::string_view>> MissingKeys(std::string_view text, std::string_view source);

// A key's comment lines in a complete document: meaning, then the papers' values.
std::string ConfigComment(const ConfigKey& key);

// A complete document, every key with its comment and what is allowed; ApplyToml() of it gives the
// same configuration exactly.
std::string ToToml(const Config& config);

// What no key can check for itself. InvalidArgument naming the keys that contradict each other.
Status CheckConfig(const Config& config);

// InvalidArgument naming the keys when a run would end before its learners may take their first
// minibatch, if its actors are equally fast.
Status CheckLearning(const Config& config);

// All keys as Markdown tables, one a section, with the default preset's values: the reference part
// of docs/configuration.md.
std::string ConfigMarkdown();

}  // namespace gorila

#endif  // GORILA_CONFIG_CONFIG_KEYS_H_
