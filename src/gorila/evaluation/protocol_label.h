// What a score is called: its protocol, and how it was played where that was not by the letter.
#ifndef GORILA_EVALUATION_PROTOCOL_LABEL_H_
#define GORILA_EVALUATION_PROTOCOL_LABEL_H_

#include <optional>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/evaluation/evaluator.h"

namespace gorila {

// "noop30", "greedy with epsilon 1 instead of 0", of a policy that is sampled from "noop30 with
// sampled actions instead of epsilon 0.05", or, for a game that has none of a console's options,
// "noop30 without its console options". `environment` may be several games. Without commas, so that
// it fits into a CSV file.
std::string ProtocolLabel(const EvaluationProtocol& protocol, double epsilon, ActBy act,
                          std::string_view environment);

// Of the evaluations that `config` asks for. InvalidArgument for an unknown protocol.
StatusOr<std::string> ConfiguredProtocolLabel(const Config& config);

// Of a score that was recorded: older versions wrote the bare name whatever the epsilon was. A
// protocol that this version does not know keeps its name.
std::string RecordedProtocolLabel(std::string_view recorded, double epsilon, ActBy act,
                                  std::string_view environment);

// "sample" or "argmax", as records have it, and back; nullopt for anything else.
std::string_view ActName(ActBy act);
std::optional<ActBy> ActOfName(std::string_view name);

}  // namespace gorila

#endif  // GORILA_EVALUATION_PROTOCOL_LABEL_H_
