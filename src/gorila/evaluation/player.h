// Who plays in `gorila play`: a trained network or chance. A person's keys are in cli/.
#ifndef GORILA_EVALUATION_PLAYER_H_
#define GORILA_EVALUATION_PLAYER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/env/environment.h"

namespace gorila {

class Player {
 public:
  virtual ~Player() = default;

  // Before each action: the state, as a network would see it.
  virtual void Look(std::span<const std::byte> stacked) = 0;
  // The action; nullopt when the player has had enough. A person is waited for.
  virtual std::optional<int> Act() = 0;

  // What is shown beside the state that was looked at: lines of ASCII, at most 34 wide.
  virtual std::vector<std::string> Panel() const { return {}; }

  // Likewise for films: what a network thinks of each of the game's OwnActions(), its value or its
  // probability, and which of them it takes.
  struct Values {
    std::span<const float> values;  // valid until the next Look; empty: nobody knows
    int chosen = -1;
  };
  virtual Values ActionValues() const { return {}; }

  // "random policy".
  virtual std::string Describe() const = 0;
};

// The actions that a game has, of those that are common to several (EnvironmentSpec::game_actions),
// by their numbers. Of a game alone all.
std::vector<int> OwnActions(const EnvironmentSpec& environment);
std::vector<std::string> OwnActionNames(const EnvironmentSpec& environment);

std::unique_ptr<Player> MakeRandomPlayer(const EnvironmentSpec& environment, RandomStream random);

// Takes the best action or, where the network is a policy, acts as evaluation.act says; but for a
// random action with probability `epsilon`. Its panel shows the Q-values or the probabilities.
// InvalidArgument when the network does not fit.
StatusOr<std::unique_ptr<Player>> MakeAgentPlayer(const Config& config,
                                                  const EnvironmentSpec& environment,
                                                  std::vector<float> parameters, double epsilon,
                                                  RandomStream random);

}  // namespace gorila

#endif  // GORILA_EVALUATION_PLAYER_H_
