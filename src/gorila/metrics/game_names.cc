#include "gorila/metrics/game_names.h"

#include <map>

namespace gorila {

std::vector<std::string> ShortGameNames(std::span<const std::string> names) {
  std::map<std::string, int> uses;
  const auto last_part = [](const std::string& name) {
    return name.substr(name.rfind('/') + 1);  // all of it without a '/'
  };
  for (const std::string& name : names) ++uses[last_part(name)];
  std::vector<std::string> short_names;
  for (const std::string& name : names) {
    const std::string part = last_part(name);
    short_names.push_back(uses[part] == 1 && !part.empty() ? part : name);
  }
  return short_names;
}

}  // namespace gorila
