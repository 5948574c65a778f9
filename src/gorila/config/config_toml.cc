// All of the configuration that knows the TOML library.
#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/base/whole_number.h"
#include "gorila/config/config_keys.h"
#include "gorila/env/external/external_name.h"
#include "gorila/env/game_list.h"

namespace gorila {
namespace {

// The one key of a document that is not a setting: the preset it starts from.
constexpr std::string_view kPresetKey = "preset";

StatusOr<toml::table> Parse(std::string_view text, std::string_view source) {
  toml::parse_result result = toml::parse(text);
  if (result) return std::move(result).table();
  const toml::parse_error& error = result.error();
  return InvalidArgument("{}:{}: not TOML: {}", source, error.source().begin.line,
                         error.description());
}

std::string NodeText(const toml::node& node) {
  std::ostringstream text;
  node.visit([&text](const auto& value) { text << value; });
  return text.str();
}

// Read<T>: the node as a T, or nothing when it is of another type or does not fit.
template <typename T>
std::optional<T> Read(const toml::node& node);

template <>
std::optional<std::int64_t> Read(const toml::node& node) {
  const toml::value<std::int64_t>* const value = node.as_integer();
  return value == nullptr ? std::nullopt : std::optional(value->get());
}

template <>
std::optional<int> Read(const toml::node& node) {
  const std::optional<std::int64_t> value = Read<std::int64_t>(node);
  if (!value || !std::in_range<int>(*value)) return std::nullopt;
  return static_cast<int>(*value);
}

// Whole numbers may be written without a point.
template <>
std::optional<double> Read(const toml::node& node) {
  if (!node.is_number()) return std::nullopt;
  return node.value<double>();
}

template <>
std::optional<bool> Read(const toml::node& node) {
  const toml::value<bool>* const value = node.as_boolean();
  return value == nullptr ? std::nullopt : std::optional(value->get());
}

template <>
std::optional<std::string> Read(const toml::node& node) {
  const toml::value<std::string>* const value = node.as_string();
  return value == nullptr ? std::nullopt : std::optional(value->get());
}

template <typename T>
std::optional<std::vector<T>> ReadList(const toml::node& node) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<T> values;
  for (const toml::node& element : *array) {
    std::optional<T> value = Read<T>(element);
    if (!value) return std::nullopt;
    values.push_back(*std::move(value));
  }
  return values;
}

template <>
std::optional<std::vector<int>> Read(const toml::node& node) {
  return ReadList<int>(node);
}

template <>
std::optional<ConvolutionSpec> Read(const toml::node& node) {
  const std::optional<std::vector<int>> row = ReadList<int>(node);
  if (!row || row->size() != 3) return std::nullopt;
  return ConvolutionSpec{.filters = (*row)[0], .kernel = (*row)[1], .stride = (*row)[2]};
}

template <>
std::optional<std::vector<ConvolutionSpec>> Read(const toml::node& node) {
  return ReadList<ConvolutionSpec>(node);
}

template <typename T, typename Field>
bool SetIfAllowed(const Field& field, const toml::node& node, Config& config) {
  std::optional<T> value = Read<T>(node);
  if (!value || !IsAllowed(field, *value)) return false;
  field.set(config, *std::move(value));
  return true;
}

// One overload for each kind of field; false when the node is not what the field allows.
struct Setter {
  const toml::node& node;
  Config& config;

  bool operator()(const IntegerField& f) const {
    return SetIfAllowed<std::int64_t>(f, node, config);
  }
  bool operator()(const RealField& f) const { return SetIfAllowed<double>(f, node, config); }
  bool operator()(const BooleanField& f) const { return SetIfAllowed<bool>(f, node, config); }
  bool operator()(const NameField& f) const {
    const std::optional<std::vector<std::string>> names = ReadList<std::string>(node);
    if (!f.is_list || !names) return SetIfAllowed<std::string>(f, node, config);
    const std::string joined = fmt::format("{}", fmt::join(*names, ","));
    if (!IsAllowed(f, joined)) return false;
    f.set(config, joined);
    return true;
  }
  bool operator()(const TextField& f) const { return SetIfAllowed<std::string>(f, node, config); }
  bool operator()(const HiddenLayersField& f) const {
    return SetIfAllowed<std::vector<int>>(f, node, config);
  }
  bool operator()(const ConvolutionsField& f) const {
    return SetIfAllowed<std::vector<ConvolutionSpec>>(f, node, config);
  }
};

Status NotAllowed(const ConfigKey& key, std::string_view given) {
  constexpr std::size_t kMostShown = 3;
  const auto* const name = std::get_if<NameField>(&key.field);
  if (name == nullptr || name->choices == nullptr || name->choices().size() <= kMostShown) {
    return InvalidArgument("{} is {}; expected {}", key.name, given, AllowedText(key.field));
  }
  const std::size_t quote = given.starts_with('"') || given.starts_with('\'') ? 1 : 0;
  const std::string_view unquoted =
      given.size() < 2 * quote ? given : given.substr(quote, given.size() - 2 * quote);
  if (name->is_list && unquoted.find(',') != std::string_view::npos) {
    const Status why = ExpandGames(unquoted).status();
    if (!why.ok()) return InvalidArgument("{}: {}", key.name, std::string(why.message()));
  }
  if (const auto external = ParseExternalName(unquoted)) {
    const Status why = CheckExternalName(*external);
    if (!why.ok()) return InvalidArgument("{}: {}", key.name, std::string(why.message()));
  }
  if (name->also != nullptr && unquoted.find(':') != std::string_view::npos) {
    return InvalidArgument("{} is {}; expected {}, or a name that 'gorila envs' lists", key.name,
                           given, name->also_text);
  }
  std::vector<std::string_view> known = name->choices();
  if (name->is_list) known.insert(known.end(), GameLists().begin(), GameLists().end());
  return InvalidArgument("{} is {}; did you mean '{}'? 'gorila {}' lists all", key.name, given,
                         NearestPath(unquoted, known),
                         key.name == "environment.name" ? "envs" : "config");
}

Status SetFromNode(Config& config, const ConfigKey& key, const toml::node& node) {
  if (std::visit(Setter{node, config}, key.field)) return OkStatus();
  const auto* const name = std::get_if<NameField>(&key.field);
  if (name == nullptr || !name->is_list || !node.is_array()) return NotAllowed(key, NodeText(node));
  const std::optional<std::vector<std::string>> names = ReadList<std::string>(node);
  if (names && !names->empty()) {
    return NotAllowed(key, fmt::format("'{}'", fmt::join(*names, ",")));
  }
  return InvalidArgument("{} is {}; expected a name, or a list of names in quotes", key.name,
                         NodeText(node));
}

Status ApplySection(Config& config, std::string_view section, const toml::table& table,
                    std::string_view source) {
  std::map<std::string_view, std::string_view> given;  // by the key that is meant
  for (const auto& [part, node] : table) {
    const std::string where = fmt::format("{}:{}", source, part.source().begin.line);
    const StatusOr<const ConfigKey*> key = FindConfigKey(fmt::format("{}.{}", section, part.str()));
    if (!key.ok()) return Annotate(key.status(), where);
    if (const auto [same, added] = given.try_emplace((*key)->name, part.str()); !added) {
      return InvalidArgument("{}: {}.{} and {}.{} mean the same key; expected one of them", where,
                             section, same->second, section, part.str());
    }
    GORILA_RETURN_IF_ERROR(Annotate(SetFromNode(config, **key, node), where));
  }
  return OkStatus();
}

// What stands at the top of a document and is no section.
Status UnknownAtTop(std::string_view name, const toml::node& node, std::string_view where) {
  const bool section = node.is_table();
  std::vector<std::string_view> known;
  for (const ConfigKey& key : ConfigKeys()) known.push_back(section ? key.section() : key.name);
  return InvalidArgument("{}: unknown {} '{}'; did you mean '{}'? 'gorila config' lists all", where,
                         section ? "section" : "key", name, NearestPath(name, known));
}

bool IsSection(std::string_view name) {
  const std::span<const ConfigKey> keys = ConfigKeys();
  return std::any_of(keys.begin(), keys.end(),
                     [name](const ConfigKey& key) { return key.section() == name; });
}

// Names may come without quotes from a command line.
bool IsBareName(const ConfigKey& key, std::string_view text) {
  return (std::holds_alternative<NameField>(key.field) ||
          std::holds_alternative<TextField>(key.field)) &&
         !text.empty() && text.front() != '"' && text.front() != '\'';
}

// Whole numbers also as people type them, 1e6 or 1M: a command line is not TOML.
std::optional<std::int64_t> ReadWholeNumber(const ConfigKey& key, std::string_view text) {
  const auto* const integer = std::get_if<IntegerField>(&key.field);
  if (integer == nullptr || (HasUnit(text) && !integer->units)) return std::nullopt;
  return ParseWholeNumber<std::int64_t>(text);
}

// What the command line takes beyond TOML; only where numbers are large enough to want it.
Status WithSpellings(const ConfigKey& key, const Status& status) {
  const auto* const integer = std::get_if<IntegerField>(&key.field);
  if (status.ok() || integer == nullptr || integer->high < 1000000) return status;
  return InvalidArgument("{}, such as 1000000{}", std::string(status.message()),
                         integer->units ? ", 1e6 or 1M" : " or 1e6");
}

Status SetFromText(Config& config, const ConfigKey& key, std::string_view text) {
  const StatusOr<toml::table> table = Parse(fmt::format("value = {}", text), key.name);
  // More than one entry: the text brought further lines along.
  if (!table.ok() || table->size() != 1) return NotAllowed(key, fmt::format("'{}'", text));
  return SetFromNode(config, key, *table->get("value"));
}

}  // namespace

Status SetConfigValue(Config& config, std::string_view name, std::string_view text) {
  GORILA_ASSIGN_OR_RETURN(const ConfigKey* const key, FindConfigKey(name));
  if (IsBareName(*key, text)) return SetFromNode(config, *key, toml::value{std::string(text)});
  if (const std::optional<std::int64_t> number = ReadWholeNumber(*key, text)) {
    return SetFromNode(config, *key, toml::value{*number});
  }
  return WithSpellings(*key, SetFromText(config, *key, text));
}

Status ApplyToml(Config& config, std::string_view text, std::string_view source) {
  GORILA_ASSIGN_OR_RETURN(const toml::table document, Parse(text, source));
  Config changed = config;
  for (const auto& [name, node] : document) {
    if (name == kPresetKey) continue;
    const std::string where = fmt::format("{}:{}", source, name.source().begin.line);
    if (!IsSection(name.str())) return UnknownAtTop(name.str(), node, where);
    if (!node.is_table()) {
      return InvalidArgument("{}: {} is {}; expected a section, [{}]", where, name.str(),
                             NodeText(node), name.str());
    }
    GORILA_RETURN_IF_ERROR(ApplySection(changed, name.str(), *node.as_table(), source));
  }
  config = std::move(changed);
  return OkStatus();
}

StatusOr<std::vector<std::string_view>> MissingKeys(std::string_view text,
                                                    std::string_view source) {
  GORILA_ASSIGN_OR_RETURN(const toml::table document, Parse(text, source));
  std::vector<std::string_view> missing;
  for (const ConfigKey& key : ConfigKeys()) {
    const toml::table* const section = document[key.section()].as_table();
    if (section == nullptr || !section->contains(key.last_part())) missing.push_back(key.name);
  }
  return missing;
}

StatusOr<std::string> BasePreset(std::string_view text, std::string_view source) {
  GORILA_ASSIGN_OR_RETURN(const toml::table document, Parse(text, source));
  const toml::node* const node = document.get(kPresetKey);
  if (node == nullptr) return std::string();
  std::optional<std::string> name = Read<std::string>(*node);
  if (name && !name->empty()) return *std::move(name);
  return InvalidArgument("{}:{}: preset is {}; expected the name of a preset", source,
                         node->source().begin.line, NodeText(*node));
}

}  // namespace gorila
