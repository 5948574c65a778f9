// An environment under random actions.
#ifndef GORILA_ENV_RANDOM_PLAY_H_
#define GORILA_ENV_RANDOM_PLAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/env/environment_factory.h"

namespace gorila {

// One environment, whose draws and actions follow from a seed. A step resets it where an episode
// has ended or was lost. Not thread-safe.
class RandomPlay {
 public:
  static StatusOr<RandomPlay> Make(EnvironmentFactory& factory, std::uint64_t seed);

  // Another environment of the factory that continues as this one will.
  StatusOr<RandomPlay> Copy(EnvironmentFactory& factory) const;

  // Announces the next step; then Finish executes it.
  void Submit();
  // False when it lost the episode.
  StatusOr<bool> Finish();
  StatusOr<bool> Step() {
    Submit();
    return Finish();
  }

  const TimeStep& now() const { return now_; }  // after a step
  bool over() const { return over_; }
  std::span<const std::byte> observation() const { return observation_; }
  // Of now() and observation().
  std::uint32_t Digest() const;
  Environment& environment() { return *environment_; }

 private:
  RandomPlay(std::unique_ptr<Environment> environment, const RandomStream& actions);

  std::unique_ptr<Environment> environment_;
  RandomStream actions_;
  std::vector<std::byte> observation_;
  TimeStep now_;
  int action_ = 0;
  bool over_ = true;
};

using Digests = std::vector<std::uint32_t>;

// Steps `play`, and before each step `beside`, where it is not null. The digest of each step.
StatusOr<Digests> PlaySteps(RandomPlay& play, int steps, RandomPlay* beside = nullptr);

}  // namespace gorila

#endif  // GORILA_ENV_RANDOM_PLAY_H_
