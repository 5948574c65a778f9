#include "gorila/evaluation/protocol_label.h"

#include <algorithm>

#include "gorila/env/registry.h"

namespace gorila {

std::string ProtocolLabel(const EvaluationProtocol& protocol, double epsilon,
                          std::string_view environment) {
  std::string label(protocol.name);
  const bool other_epsilon = epsilon != protocol.epsilon;
  if (other_epsilon) {
    label += fmt::format(" with epsilon {} instead of {}", epsilon, protocol.epsilon);
  }
  // Start points are played in any game.
  const bool console = protocol.noop_max >= 0 && !protocol.human_starts;
  if (console && !IsConsoleGame(environment)) {
    label += other_epsilon ? " and without its console options" : " without its console options";
  }
  return label;
}

StatusOr<std::string> ConfiguredProtocolLabel(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const EvaluationProtocol* protocol,
                          FindEvaluationProtocol(config.evaluation.protocol));
  return ProtocolLabel(*protocol, EvaluationEpsilon(config, *protocol), config.environment.name);
}

std::string RecordedProtocolLabel(std::string_view recorded, double epsilon,
                                  std::string_view environment) {
  // No protocol's name has a space.
  const StatusOr<const EvaluationProtocol*> protocol =
      FindEvaluationProtocol(recorded.substr(0, recorded.find(' ')));
  if (!protocol.ok()) return std::string(recorded);
  return ProtocolLabel(**protocol, epsilon, environment);
}

}  // namespace gorila
