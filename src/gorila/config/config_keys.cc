#include "gorila/config/config_keys.h"

#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/config/key_tables.h"

namespace gorila {

std::span<const ConfigKey> ConfigKeys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all;
    for (const auto part : {EnvironmentKeys(), AgentKeys(), SystemKeys()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return keys;
}

StatusOr<const ConfigKey*> FindConfigKey(std::string_view name) {
  if (name == "environment.names") name = "environment.name";  // as one may call a list
  std::vector<std::string_view> names;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.name == name) return &key;
    names.push_back(key.name);
  }
  return InvalidArgument("unknown key '{}'; did you mean '{}'? 'gorila config' lists all", name,
                         NearestPath(name, names));
}

}  // namespace gorila
