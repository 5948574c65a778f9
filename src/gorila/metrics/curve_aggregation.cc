#include "gorila/metrics/curve_aggregation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "gorila/base/status.h"

namespace gorila {
namespace {

std::vector<CurveSample> FiniteSamples(std::span<const CurveSample> run) {
  std::vector<CurveSample> finite;
  for (const CurveSample& sample : run) {
    if (std::isfinite(sample.x) && std::isfinite(sample.y)) finite.push_back(sample);
  }
  return finite;
}

// `run` must not be empty and x within its range.
double Interpolate(std::span<const CurveSample> run, double x) {
  const auto right =
      std::lower_bound(run.begin(), run.end(), x,
                       [](const CurveSample& sample, double at) { return sample.x < at; });
  if (right == run.end()) return run.back().y;
  if (right == run.begin() || right->x == x) return right->y;
  const CurveSample& left = *(right - 1);
  return std::lerp(left.y, right->y, (x - left.x) / (right->x - left.x));
}

Estimate EstimateOf(std::span<const std::vector<CurveSample>> runs, double x, Statistic statistic,
                    const BootstrapDraws& draws) {
  std::vector<double> values;
  for (const std::vector<CurveSample>& run : runs) values.push_back(Interpolate(run, x));
  return EstimateValues(std::move(values), statistic, draws);
}

}  // namespace

EpisodeSmoother::EpisodeSmoother(std::uint64_t window_episodes) : window_(window_episodes) {
  GORILA_CHECK(window_episodes > 0, "window must be positive");
}

std::optional<CurveSample> EpisodeSmoother::Add(const EpisodeBatch& batch) {
  if (batch.episodes == 0) return std::nullopt;  // its mean is NaN
  batches_.push_back(batch);
  double sum = 0;
  std::uint64_t counted = 0;
  std::size_t used = 0;
  for (auto at = batches_.rbegin(); at != batches_.rend() && counted < window_; ++at, ++used) {
    const std::uint64_t taken = std::min(at->episodes, window_ - counted);
    sum += static_cast<double>(taken) * at->mean_return;
    counted += taken;
  }
  // A later window reaches no farther back.
  batches_.erase(batches_.begin(), batches_.end() - static_cast<std::ptrdiff_t>(used));
  return CurveSample{batch.x, sum / static_cast<double>(counted)};
}

std::vector<CurveSample> SmoothOverEpisodes(std::span<const EpisodeBatch> batches,
                                            std::uint64_t window_episodes) {
  EpisodeSmoother smoother(window_episodes);
  std::vector<CurveSample> samples;
  for (const EpisodeBatch& batch : batches) {
    if (const auto sample = smoother.Add(batch); sample.has_value()) samples.push_back(*sample);
  }
  return samples;
}

std::vector<CurvePoint> AggregateRuns(std::span<const std::vector<CurveSample>> runs,
                                      std::size_t grid_points, Statistic statistic,
                                      const BootstrapOptions& bootstrap) {
  GORILA_CHECK(grid_points >= 2, "{} grid points", grid_points);
  if (runs.empty()) return {};
  std::vector<std::vector<CurveSample>> finite;
  double begin = -std::numeric_limits<double>::infinity();
  double end = std::numeric_limits<double>::infinity();
  for (const std::vector<CurveSample>& run : runs) {
    finite.push_back(FiniteSamples(run));
    if (finite.back().empty()) return {};
    begin = std::max(begin, finite.back().front().x);
    end = std::min(end, finite.back().back().x);
  }
  if (begin > end) return {};
  const std::size_t count = begin == end ? 1 : grid_points;
  const BootstrapDraws draws(runs.size(), bootstrap);
  std::vector<CurvePoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    const double fraction = static_cast<double>(i) / static_cast<double>(grid_points - 1);
    const double x = std::lerp(begin, end, fraction);
    const Estimate at = EstimateOf(finite, x, statistic, draws);
    points.push_back({.x = x, .mean = at.value, .low = at.low, .high = at.high});
  }
  return points;
}

Estimate EstimateAt(std::span<const std::vector<CurveSample>> runs, double x, Statistic statistic,
                    const BootstrapOptions& bootstrap) {
  std::vector<std::vector<CurveSample>> finite;
  for (const std::vector<CurveSample>& run : runs) {
    finite.push_back(FiniteSamples(run));
    const std::vector<CurveSample>& samples = finite.back();
    if (samples.empty() || x < samples.front().x || x > samples.back().x) return {};
  }
  if (finite.empty()) return {};
  return EstimateOf(finite, x, statistic, BootstrapDraws(runs.size(), bootstrap));
}

double StudentQuantile975(std::size_t degrees_of_freedom) {
  GORILA_CHECK(degrees_of_freedom >= 1, "no degrees of freedom");
  constexpr std::array<double, 10> kExact = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706,
                                             2.4469,  2.3646, 2.3060, 2.2622, 2.2281};
  if (degrees_of_freedom <= kExact.size()) return kExact[degrees_of_freedom - 1];
  // Abramowitz & Stegun 26.7.5: the normal quantile and the first terms in 1/n.
  constexpr double z = 1.959964;
  constexpr double z3 = z * z * z, z5 = z3 * z * z;
  const double n = static_cast<double>(degrees_of_freedom);
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n);
}

}  // namespace gorila
