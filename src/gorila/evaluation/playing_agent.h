// What plays without learning.
#ifndef GORILA_EVALUATION_PLAYING_AGENT_H_
#define GORILA_EVALUATION_PLAYING_AGENT_H_

#include <memory>

#include "gorila/agent/policy.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/network/q_network.h"

namespace gorila {

// A network that plays without learning: in evaluations, in films, for whoever watches.
struct PlayingAgent {
  std::unique_ptr<QNetwork> network;  // on the CPU; has no parameters yet
  std::unique_ptr<Policy> policy;     // acts by it
  bool is_policy = false;             // whether it gives probabilities of actions, not values
  ActBy act_by = ActBy::kArgmax;      // how it chooses
};

// For at most `environments` at once. InvalidArgument names the key that has no such network.
StatusOr<PlayingAgent> MakePlayingAgent(const Config& config, int environments);

}  // namespace gorila

#endif  // GORILA_EVALUATION_PLAYING_AGENT_H_
