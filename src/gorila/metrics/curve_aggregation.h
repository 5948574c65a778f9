// From the logs of several runs to one curve with a band. Pure functions.
#ifndef GORILA_METRICS_CURVE_AGGREGATION_H_
#define GORILA_METRICS_CURVE_AGGREGATION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "gorila/metrics/learning_curve.h"
#include "gorila/metrics/seed_statistics.h"

namespace gorila {

struct CurveSample {
  double x = 0;
  double y = 0;
};

// Episodes that ended near one x (frames, say) and the mean of their returns.
struct EpisodeBatch {
  double x = 0;
  double mean_return = 0;
  std::uint64_t episodes = 0;
};

// At each batch's x the mean return of the last `window_episodes` (> 0) episodes up to it, every
// episode weighing the same; of the oldest batch only the part in the window counts. Until so many
// episodes have ended, the mean of those there are. Batches without episodes give no sample. x in
// ascending order.
std::vector<CurveSample> SmoothOverEpisodes(std::span<const EpisodeBatch> batches,
                                            std::uint64_t window_episodes);

// SmoothOverEpisodes of batches that come one at a time; keeps those in the window only.
class EpisodeSmoother {
 public:
  explicit EpisodeSmoother(std::uint64_t window_episodes);

  // The sample at the batch's x; nullopt for one without episodes.
  std::optional<CurveSample> Add(const EpisodeBatch& batch);

 private:
  std::uint64_t window_;
  std::deque<EpisodeBatch> batches_;  // none without episodes
};

// The statistic over runs and its 95 % bootstrap interval, at `grid_points` (>= 2) equally spaced x
// over the range that every run covers. Runs are interpolated linearly between their samples (x
// ascending; samples whose y is not finite are left out). Every x uses the same draws of runs, so
// that the band is as smooth as the curves. One run: low and high are NaN, no band. Empty when a
// run has no samples or no x is common to all.
std::vector<CurvePoint> AggregateRuns(std::span<const std::vector<CurveSample>> runs,
                                      std::size_t grid_points,
                                      Statistic statistic = Statistic::kMean,
                                      const BootstrapOptions& bootstrap = {});

// The same at one x. NaN when a curve does not reach from below `x` to it.
Estimate EstimateAt(std::span<const std::vector<CurveSample>> runs, double x, Statistic statistic,
                    const BootstrapOptions& bootstrap = {});

// The 97.5 % quantile of Student's t distribution, to 0.1 %; `degrees_of_freedom` >= 1.
double StudentQuantile975(std::size_t degrees_of_freedom);

}  // namespace gorila

#endif  // GORILA_METRICS_CURVE_AGGREGATION_H_
