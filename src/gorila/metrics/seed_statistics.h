// What several runs of an experiment, its seeds, say together: Agarwal et al. 2021, "Deep
// Reinforcement Learning at the Edge of the Statistical Precipice" (rliable). Pure functions.
//
// Intervals are percentile bootstraps of the runs with a fixed seed: the same scores, in whatever
// order the runs come, give the same interval.
#ifndef GORILA_METRICS_SEED_STATISTICS_H_
#define GORILA_METRICS_SEED_STATISTICS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "gorila/metrics/learning_curve.h"

namespace gorila {

// With fewer runs a bootstrap interval is much narrower than it says and is called rough.
inline constexpr std::size_t kFewSeeds = 5;

enum class Statistic { kMean, kInterquartileMean };
std::string_view StatisticName(Statistic statistic);  // "mean", "IQM"

double Mean(std::span<const double> values);    // NaN of none
double Median(std::span<const double> values);  // of the two in the middle their mean; NaN of none

// The mean of the middle half. Where a quarter is not a whole number of values, the values at its
// border count in part: of 1, 2, 3, 4, 5 the 2 and the 4 count three quarters each. NaN of none.
double InterquartileMean(std::span<const double> values);

// The value below which `fraction` of `sorted` (not empty) are, linear between neighbours.
double Quantile(std::span<const double> sorted, double fraction);

// A statistic and its 95 % interval; both ends NaN without one.
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();

  bool HasInterval() const { return std::isfinite(low) && std::isfinite(high); }
};

struct BootstrapOptions {
  int resamples = 2000;  // 0 = no intervals
  std::uint64_t seed = 1;
};

// For each game the scores of its runs: at least one each, all finite. Each game counts the same,
// and is resampled by itself (stratified). Without intervals where a game has a single run.
using ScoresByGame = std::span<const std::vector<double>>;

Estimate EstimateScores(ScoresByGame games, Statistic statistic,
                        const BootstrapOptions& bootstrap = {});
// Of one game.
Estimate EstimateScores(const std::vector<double>& runs, Statistic statistic,
                        const BootstrapOptions& bootstrap = {});

// At each threshold the fraction of runs whose score is above it, with pointwise intervals.
std::vector<CurvePoint> PerformanceProfile(ScoresByGame games, std::span<const double> thresholds,
                                           const BootstrapOptions& bootstrap = {});

// The probability that a run of `x` has a higher score than one of `y` in the same game, ties
// counting half (Mann-Whitney's U / nm), averaged over games. The two have the same games.
Estimate ProbabilityOfImprovement(ScoresByGame x, ScoresByGame y,
                                  const BootstrapOptions& bootstrap = {});

// How often each of n runs is drawn in each of the bootstrap's resamples. Made once for curves of
// which every point has values of the same runs.
class BootstrapDraws {
 public:
  // Different `stream`s are independent.
  BootstrapDraws(std::size_t runs, const BootstrapOptions& bootstrap, std::uint64_t stream = 0);

  std::size_t runs() const { return runs_; }
  std::size_t resamples() const { return runs_ == 0 ? 0 : counts_.size() / runs_; }
  // One a run.
  std::span<const double> Counts(std::size_t resample) const {
    return std::span(counts_).subspan(resample * runs_, runs_);
  }

 private:
  std::size_t runs_;
  std::vector<double> counts_;
};

// The statistic of one value a run, in any order. No interval of a single run.
Estimate EstimateValues(std::vector<double> values, Statistic statistic,
                        const BootstrapDraws& draws);

}  // namespace gorila

#endif  // GORILA_METRICS_SEED_STATISTICS_H_
