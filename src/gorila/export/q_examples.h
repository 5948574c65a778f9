// Observations and what a network makes of them, to check with what another program computes.
#ifndef GORILA_EXPORT_Q_EXAMPLES_H_
#define GORILA_EXPORT_Q_EXAMPLES_H_

#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

inline constexpr int kQExamples = 16;

// The states of kQExamples steps of a random player, some apart, as a JSON object: "shape" (stack *
// channels, height, width), "element" (uint8 or float32), "observations" (a flat list of each
// state's elements, frames oldest first) and "q" (of each, a value for each action, without noise)
// or, of a policy, "policy" (of each, a probability for each action) and "value" (of each, its
// value). The same every time. InvalidArgument when the environment or network cannot be
// made.
StatusOr<std::string> EncodeQExamples(const Config& config, std::span<const float> parameters);

}  // namespace gorila

#endif  // GORILA_EXPORT_Q_EXAMPLES_H_
