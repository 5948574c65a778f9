// JSON values as YAML, which people read more easily.
#ifndef GORILA_LAUNCH_YAML_TEXT_H_
#define GORILA_LAUNCH_YAML_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace gorila {

// One document a value. Strings that would read as something else are quoted; those of several
// lines are literal blocks.
std::string YamlText(const std::vector<nlohmann::ordered_json>& documents);

}  // namespace gorila

#endif  // GORILA_LAUNCH_YAML_TEXT_H_
