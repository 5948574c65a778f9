// The evaluation of a run, which may have several games.
#ifndef GORILA_EVALUATION_GAMES_EVALUATION_H_
#define GORILA_EVALUATION_GAMES_EVALUATION_H_

#include <span>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/evaluation/evaluator.h"

namespace gorila {

// Evaluate() for each game of the run, with `request.episodes` episodes and the same seed each; as
// a whole the aggregate over games (game_aggregate.h). Of a run with one game its Evaluate().
StatusOr<EvaluationResult> EvaluateGames(const Config& config, std::span<const float> parameters,
                                         const EvaluationRequest& request);

// Results are comparable where this is the same: the protocol and, of several games, what they are
// and how they are aggregated.
std::string ComparableAs(const EvaluationResult& result);

// InvalidArgument, naming the key, where the run could not be evaluated by its own protocol. Files
// are not read.
Status CheckEvaluation(const Config& config);

// " a game" of a result with several: "100 episodes a game".
std::string_view PerGame(const EvaluationResult& result);

}  // namespace gorila

#endif  // GORILA_EVALUATION_GAMES_EVALUATION_H_
