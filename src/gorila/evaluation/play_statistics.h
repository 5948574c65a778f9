// What environments show under random actions.
#ifndef GORILA_EVALUATION_PLAY_STATISTICS_H_
#define GORILA_EVALUATION_PLAY_STATISTICS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "gorila/base/status.h"
#include "gorila/env/environment_factory.h"

namespace gorila {

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
  NumberRange value;        // of observations of floats
  NumberRange scaled_byte;  // extremes of observations of bytes, as the network reads them
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

#endif  // GORILA_EVALUATION_PLAY_STATISTICS_H_
