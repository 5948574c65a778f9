// Statistics of episode returns: of a recent window while training, of a whole evaluation after it.
#ifndef GORILA_METRICS_EPISODE_STATISTICS_H_
#define GORILA_METRICS_EPISODE_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "gorila/base/serialise.h"

namespace gorila {

// Means over the last `window` episodes. Not thread-safe.
class EpisodeStatistics {
 public:
  // `window` > 0, in episodes.
  explicit EpisodeStatistics(std::size_t window = 100);

  // A finished episode: its undiscounted return and its length in environment frames.
  void Add(double episode_return, std::uint64_t length);

  std::uint64_t episodes() const { return episodes_; }  // all that were added
  double MeanReturn() const;                            // of the window; NaN before any episode
  double MeanLength() const;                            // likewise

  // A restored object continues bit for bit. Restore gives DataLoss for truncated state or state of
  // another window, and then changes nothing.
  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  struct Episode {
    double episode_return;
    std::uint64_t length;
  };
  std::size_t window_;
  std::uint64_t episodes_ = 0;
  std::deque<Episode> recent_;  // oldest first
};

// Welford's running mean and variance (Knuth, TAOCP vol. 2, 4.2.2): no cancellation, no stored
// samples. Not thread-safe.
class RunningStatistics {
 public:
  void Add(double sample);

  std::uint64_t count() const { return count_; }
  double mean() const;                 // NaN without samples
  double StandardDeviation() const;    // of the population (n - 1); NaN below two samples
  double StandardErrorOfMean() const;  // StandardDeviation / sqrt(n); NaN below two samples

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squared_deviations_ = 0;
};

// All fields NaN without samples; `standard_error` NaN below two.
struct ReturnSummary {
  std::size_t count = 0;
  double mean = 0;
  double standard_error = 0;  // of the mean
  double minimum = 0;
  double maximum = 0;
  double median = 0;  // mean of the two in the middle when `count` is even
};

// `samples` must hold no NaN.
ReturnSummary SummariseReturns(std::span<const double> samples);

}  // namespace gorila

#endif  // GORILA_METRICS_EPISODE_STATISTICS_H_
