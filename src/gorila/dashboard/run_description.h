// What several readers of a run's folder say of it in the same words.
#ifndef GORILA_DASHBOARD_RUN_DESCRIPTION_H_
#define GORILA_DASHBOARD_RUN_DESCRIPTION_H_

#include "gorila/base/json.h"
#include "gorila/config/config.h"

namespace gorila {

// The run's games, players and seed: environment, is_policy, bundles, actors, seed, and of several
// games title, games and game_labels.
nlohmann::ordered_json DescribeGames(const Config& config);

// evaluation.json as this version would have written it.
nlohmann::ordered_json Relabelled(nlohmann::ordered_json evaluation);

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RUN_DESCRIPTION_H_
