// A MinAtar game as an Environment.
#ifndef GORILA_ENV_MINATAR_MINATAR_ENVIRONMENT_H_
#define GORILA_ENV_MINATAR_MINATAR_ENVIRONMENT_H_

#include <memory>
#include <vector>

#include "gorila/env/environment.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/episode.h"
#include "gorila/env/minatar/game.h"

namespace gorila {

// Adds sticky actions, the action set, the time limit and pictures to a game. Observations are
// uint8 0 or 1, channels x 10 x 10, scale 1, stack 1. Not thread-safe.
//
// Sticky actions: every step makes one uniform draw before the game's own draws, also when the
// probability is 0, so that a seed gives the game the same draws whatever the probability. The
// previously executed action is 0 (no-op) at construction and is not cleared between episodes.
class MinAtarEnvironment final : public Environment {
 public:
  // Options must be in their ranges (MakeEnvironment checks them).
  MinAtarEnvironment(std::unique_ptr<minatar::Game> game, const EnvironmentOptions& options,
                     std::unique_ptr<DrawSource> draws);

  const EnvironmentSpec& spec() const override { return spec_; }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override;
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override;
  Status Render(RgbImage& image) override;  // 160 x 160
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

 private:
  void Observe(std::span<std::byte> observation) const;

  const std::unique_ptr<minatar::Game> game_;
  const std::unique_ptr<DrawSource> draws_;
  const double sticky_actions_;
  std::vector<minatar::Action> actions_;  // index = the agent's action
  EnvironmentSpec spec_;
  Episode episode_;
  int previous_action_ = minatar::kNoOp;  // executed, one of the six
};

}  // namespace gorila

#endif  // GORILA_ENV_MINATAR_MINATAR_ENVIRONMENT_H_
