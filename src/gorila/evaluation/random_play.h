// Environments under random actions, and what was seen of them.
#ifndef GORILA_EVALUATION_RANDOM_PLAY_H_
#define GORILA_EVALUATION_RANDOM_PLAY_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
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

// The lowest, highest and mean of some numbers.
class NumberRange {
 public:
  void Add(double value) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
    sum_ += value;
    ++count_;
  }
  std::int64_t count() const { return count_; }
  double low() const { return low_; }  // with a count of at least 1
  double high() const { return high_; }
  double mean() const { return sum_ / static_cast<double>(count_); }
  double largest() const { return std::max(std::abs(low_), std::abs(high_)); }

 private:
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
  double sum_ = 0;
  std::int64_t count_ = 0;
};

struct PlayStatistics {
  std::int64_t steps = 0;
  double seconds = 0;
  std::int64_t terminated = 0;  // episodes
  std::int64_t truncated = 0;
  NumberRange length;   // of those that ended
  NumberRange returns;  // likewise
  NumberRange reward;
  NumberRange value;  // of observations of floats
  bool observations_change = false;

  std::int64_t episodes() const { return terminated + truncated; }
};

struct PlayLimits {
  std::int64_t steps = 0;
  double seconds = 0;
};

// Plays `at_once` environments together until a limit is reached. InvalidArgument for numbers that
// are not finite.
StatusOr<PlayStatistics> PlayRandomly(EnvironmentFactory& factory, int at_once,
                                      const PlayLimits& limits);

}  // namespace gorila

#endif  // GORILA_EVALUATION_RANDOM_PLAY_H_
