#include "gorila/dashboard/run_description.h"

#include <string>
#include <vector>

#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/game_list.h"
#include "gorila/evaluation/protocol_label.h"
#include "gorila/metrics/game_names.h"

namespace gorila {

using Json = nlohmann::ordered_json;

Json DescribeGames(const Config& config) {
  Json description = {{"environment", config.environment.name},
                      {"seed", config.run.seed},
                      {"is_policy", ActsByPolicy(config)},
                      {"bundles", config.run.bundles},
                      {"actors", config.cluster.actors}};
  const std::vector<std::string> games = GamesOf(config);
  if (games.size() > 1) {
    description["title"] = GamesLabel(config.environment.name);
    description["games"] = games;
    description["game_labels"] = ShortGameNames(games);
  }
  return description;
}

Json Relabelled(Json json) {
  const auto is_text = [&json](const char* name) {
    return json.contains(name) && json[name].is_string();
  };
  if (is_text("protocol") && is_text("environment") && json.contains("epsilon") &&
      json["epsilon"].is_number()) {
    const bool samples =
        is_text("act") && ActOfName(json["act"].get<std::string>()) == ActBy::kSample;
    json["protocol"] = RecordedProtocolLabel(
        json["protocol"].get<std::string>(), json["epsilon"].get<double>(),
        samples ? ActBy::kSample : ActBy::kArgmax, json["environment"].get<std::string>());
  }
  return json;
}

}  // namespace gorila
