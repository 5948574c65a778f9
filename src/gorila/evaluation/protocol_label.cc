#include "gorila/evaluation/protocol_label.h"

#include <algorithm>

#include "gorila/config/resolve.h"
#include "gorila/env/game_list.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

// How the agent acted where that was not by the protocol's letter; else empty.
std::string ActingLabel(const EvaluationProtocol& protocol, double epsilon, ActBy act) {
  const double own = protocol.epsilon;
  if (act == ActBy::kArgmax) {
    return epsilon == own ? "" : fmt::format(" with epsilon {} instead of {}", epsilon, own);
  }
  std::string label = " with sampled actions";
  if (epsilon > 0) {
    label += fmt::format(" and epsilon {}", epsilon);
    if (epsilon != own) label += fmt::format(" instead of {}", own);
  } else if (own > 0) {
    label += fmt::format(" instead of epsilon {}", own);
  }
  return label;
}

}  // namespace

std::string ProtocolLabel(const EvaluationProtocol& protocol, double epsilon, ActBy act,
                          std::string_view environment) {
  const std::string acting = ActingLabel(protocol, epsilon, act);
  std::string label = std::string(protocol.name) + acting;
  // Start points are played in any game.
  const bool console = protocol.noop_max >= 0 && !protocol.human_starts;
  const std::vector<std::string> games = SplitGames(environment);
  if (console && !std::all_of(games.begin(), games.end(), &IsConsoleGame)) {
    label += acting.empty() ? " without its console options" : " and without its console options";
  }
  return label;
}

StatusOr<std::string> ConfiguredProtocolLabel(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const EvaluationProtocol* protocol,
                          FindEvaluationProtocol(config.evaluation.protocol));
  return ProtocolLabel(*protocol, EvaluationEpsilon(config, *protocol), ResolveActBy(config),
                       config.environment.name);
}

std::string RecordedProtocolLabel(std::string_view recorded, double epsilon, ActBy act,
                                  std::string_view environment) {
  // No protocol's name has a space.
  const StatusOr<const EvaluationProtocol*> protocol =
      FindEvaluationProtocol(recorded.substr(0, recorded.find(' ')));
  if (!protocol.ok()) return std::string(recorded);
  return ProtocolLabel(**protocol, epsilon, act, environment);
}

std::string_view ActName(ActBy act) { return act == ActBy::kSample ? "sample" : "argmax"; }

std::optional<ActBy> ActOfName(std::string_view name) {
  for (const ActBy act : {ActBy::kSample, ActBy::kArgmax}) {
    if (ActName(act) == name) return act;
  }
  return std::nullopt;
}

}  // namespace gorila
