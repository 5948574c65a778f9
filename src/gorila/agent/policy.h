// The acting seam: actions from what environments show. Actors, evaluations, films, players and the
// dashboard's games all act through it.
#ifndef GORILA_AGENT_POLICY_H_
#define GORILA_AGENT_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gorila/base/random.h"

namespace gorila {

// What an environment that acts brings besides its observation.
struct ActingEnvironment {
  double epsilon = 0;              // probability of a random action
  RandomStream* random = nullptr;  // its draws; several environments may share one
  int game = 0;                    // which it plays, of those that share the network
};

// How a policy that is a distribution over actions chooses one. Without meaning for others.
enum class ActBy { kSample, kArgmax };

struct ActInput {
  // Of each environment the last frames as the network sees them, one after another.
  std::span<const std::byte> observations;
  std::span<const ActingEnvironment> environments;  // at least one
  bool show_values = false;                         // whether somebody looks at ActOutput::values
  // Whether a noisy network draws noise, from the first environment's stream: actors explore by it;
  // evaluations act by the means.
  bool noisy = false;
};

// The games of an input's environments, one for each.
inline void TakeGames(const ActInput& input, std::vector<std::int32_t>& games) {
  games.clear();
  for (const ActingEnvironment& acting : input.environments) games.push_back(acting.game);
}

// Filled by the policy. Kept by the caller from step to step, so that nothing is allocated.
struct ActOutput {
  std::vector<int> actions;    // of each environment
  std::vector<char> explored;  // of each: whether the action came from its epsilon
  // What the policy thinks of each action, its value or its probability: environments x actions,
  // row-major. Empty when nobody looks and no action followed from them.
  std::vector<float> values;
  // ln of the probability with which each environment's action was chosen, where it is one of
  // sampling from a distribution; else empty.
  std::vector<float> log_probabilities;
};

// Used by one thread at a time.
class Policy {
 public:
  virtual ~Policy() = default;

  // Draws from the environments' streams in their order, and the same whether or not values are
  // shown. Allocates nothing once `output` has been filled for as many environments.
  virtual void Act(const ActInput& input, ActOutput& output) = 0;
};

}  // namespace gorila

#endif  // GORILA_AGENT_POLICY_H_
