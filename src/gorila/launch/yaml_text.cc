#include "gorila/launch/yaml_text.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "gorila/base/json.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

void EmitString(const std::string& text, YAML::Emitter& out) {
  if (text.find('\n') != std::string::npos) {
    out << YAML::Literal << text;
    return;
  }
  // What the library leaves plain may be a number or a truth value to others.
  const bool word = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '-' || c == '/' || c == '.';
  });
  const bool number = text.starts_with('.') || text.starts_with("-.");  // as .inf is
  const bool plain = word && !number && text != "true" && text != "false" && text != "null" &&
                     text != "y" && text != "n" && text != "yes" && text != "no" && text != "on" &&
                     text != "off";
  if (plain) {
    out << text;
  } else {
    out << YAML::DoubleQuoted << text;
  }
}

void Emit(const Json& value, YAML::Emitter& out) {
  if (value.is_object()) {
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [key, element] : value.items()) {
      out << YAML::Key << key << YAML::Value;
      Emit(element, out);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const Json& element : value) Emit(element, out);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    EmitString(value.get<std::string>(), out);
  } else {
    out << DumpJson(value);
  }
}

}  // namespace

std::string YamlText(const std::vector<Json>& documents) {
  std::string text;
  for (const Json& document : documents) {
    YAML::Emitter out;
    Emit(document, out);
    text += std::string("---\n") + out.c_str() + "\n";
  }
  return text;
}

}  // namespace gorila
