#include "gorila/evaluation/games_evaluation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gorila/config/games.h"
#include "gorila/evaluation/game_aggregate.h"
#include "gorila/evaluation/protocol_label.h"

namespace gorila {
namespace {

Status CheckStarts(const Config& config, const EvaluationProtocol& protocol) {
  if (!protocol.human_starts || NumGames(config) == 1) return OkStatus();
  return InvalidArgument(
      "evaluation.protocol is {}, whose start points belong to one game; expected another one for "
      "a run with {} games, or gorila evaluate --game NAME --protocol {}",
      protocol.name, NumGames(config), protocol.name);
}

// Each number the mean over games of one episode of each.
std::vector<double> AggregateReturns(const GameAggregate& aggregate,
                                     std::span<const EvaluationResult> games) {
  std::vector<double> means(games.front().returns.size());
  for (std::size_t episode = 0; episode < means.size(); ++episode) {
    double sum = 0;
    for (std::size_t game = 0; game < games.size(); ++game) {
      sum += aggregate.Scaled(game, games[game].returns[episode]);
    }
    means[episode] = sum / static_cast<double>(games.size());
  }
  return means;
}

// What `games` have in common; nullopt where they differ.
std::optional<double> CommonStickyActions(std::span<const EvaluationResult> games) {
  const std::optional<double> first = games.front().sticky_actions;
  const bool same = std::all_of(games.begin(), games.end(), [&](const EvaluationResult& game) {
    return game.sticky_actions == first;
  });
  return same ? first : std::nullopt;
}

}  // namespace

StatusOr<EvaluationResult> EvaluateGames(const Config& config, std::span<const float> parameters,
                                         const EvaluationRequest& request) {
  const std::vector<std::string> names = GamesOf(config);
  if (names.size() == 1) return Evaluate(config, parameters, request);
  GORILA_ASSIGN_OR_RETURN(const EvaluationProtocol* protocol,
                          FindEvaluationProtocol(request.protocol));
  GORILA_RETURN_IF_ERROR(CheckStarts(config, *protocol));
  const GameAggregate aggregate = GameAggregate::Of(names, protocol->human_starts);
  EvaluationResult all;
  all.aggregate = aggregate.name();
  for (std::size_t i = 0; i < names.size(); ++i) {
    GORILA_ASSIGN_OR_RETURN(EvaluationResult result,
                            Evaluate(OneGame(config, static_cast<int>(i)), parameters, request));
    result.game = names[i];
    all.steps += result.steps;
    all.games.push_back(std::move(result));
  }
  const EvaluationResult& first = all.games.front();
  all.protocol = ProtocolLabel(*protocol, first.epsilon, first.act, config.environment.name);
  all.version = first.version;
  all.epsilon = first.epsilon;
  all.act = first.act;
  all.sticky_actions = CommonStickyActions(all.games);
  all.returns = AggregateReturns(aggregate, all.games);
  all.summary = SummariseReturns(all.returns);
  return all;
}

std::string ComparableAs(const EvaluationResult& result) {
  if (result.games.empty()) return result.protocol;
  std::vector<std::string_view> games;
  for (const EvaluationResult& game : result.games) games.push_back(game.game);
  return fmt::format("{}, {}, {}", result.protocol, result.aggregate, fmt::join(games, ", "));
}

Status CheckEvaluation(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const EvaluationProtocol* protocol,
                          FindEvaluationProtocol(config.evaluation.protocol));
  return CheckStarts(config, *protocol);
}

std::string_view PerGame(const EvaluationResult& result) {
  return result.games.empty() ? "" : " a game";
}

}  // namespace gorila
