#include "gorila/metrics/seed_statistics.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "gorila/base/random.h"
#include "gorila/base/status.h"

namespace gorila {
namespace {

// `weights` are >= 0, one a value; `sorted` ascending.
double WeightedMean(std::span<const double> sorted, std::span<const double> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  return std::inner_product(sorted.begin(), sorted.end(), weights.begin(), 0.0) / total;
}

double WeightedMiddleHalf(std::span<const double> sorted, std::span<const double> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double first = total / 4, last = 3 * total / 4;
  double sum = 0, end = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double begin = end;
    end += weights[i];
    const double inside = std::min(end, last) - std::max(begin, first);
    if (inside > 0) sum += inside * sorted[i];
  }
  return sum / (last - first);
}

double Weighted(Statistic statistic, std::span<const double> sorted,
                std::span<const double> weights) {
  return statistic == Statistic::kMean ? WeightedMean(sorted, weights)
                                       : WeightedMiddleHalf(sorted, weights);
}

Estimate WithInterval(double value, std::vector<double> resampled) {
  Estimate estimate{.value = value};
  if (resampled.empty()) return estimate;
  std::sort(resampled.begin(), resampled.end());
  estimate.low = Quantile(resampled, 0.025);
  estimate.high = Quantile(resampled, 0.975);
  return estimate;
}

bool AllRepeated(ScoresByGame games) {
  return std::all_of(games.begin(), games.end(), [](const auto& runs) { return runs.size() >= 2; });
}

std::vector<std::vector<double>> Sorted(ScoresByGame games) {
  std::vector<std::vector<double>> sorted(games.begin(), games.end());
  for (std::vector<double>& runs : sorted) {
    GORILA_CHECK(!runs.empty(), "a game without runs");
    std::sort(runs.begin(), runs.end());
  }
  return sorted;
}

// Independent draws for each game; none where a game has a single run.
std::vector<BootstrapDraws> DrawsOf(ScoresByGame games, const BootstrapOptions& bootstrap,
                                    std::uint64_t first_stream) {
  BootstrapOptions options = bootstrap;
  if (!AllRepeated(games)) options.resamples = 0;
  std::vector<BootstrapDraws> draws;
  for (std::size_t i = 0; i < games.size(); ++i) {
    draws.emplace_back(games[i].size(), options, first_stream + i);
  }
  return draws;
}

// The scores of all games in one order, so that a resample is only other weights.
class PooledScores {
 public:
  PooledScores(ScoresByGame games, const BootstrapOptions& bootstrap) : games_(Sorted(games)) {
    for (std::size_t game = 0; game < games_.size(); ++game) {
      for (std::size_t run = 0; run < games_[game].size(); ++run) places_.push_back({game, run});
    }
    std::stable_sort(places_.begin(), places_.end(), [this](const Place& a, const Place& b) {
      return games_[a.game][a.run] < games_[b.game][b.run];
    });
    for (const Place& place : places_) values_.push_back(games_[place.game][place.run]);
    draws_ = DrawsOf(games_, bootstrap, 0);
  }

  std::span<const double> values() const { return values_; }  // ascending
  std::size_t resamples() const { return draws_.empty() ? 0 : draws_.front().resamples(); }

  // Of a game with n runs 1 / n each.
  std::vector<double> Weights() const {
    std::vector<double> weights;
    for (const Place& place : places_) {
      weights.push_back(1.0 / static_cast<double>(games_[place.game].size()));
    }
    return weights;
  }

  std::vector<double> Weights(std::size_t resample) const {
    std::vector<double> weights = Weights();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      weights[i] *= draws_[places_[i].game].Counts(resample)[places_[i].run];
    }
    return weights;
  }

 private:
  struct Place {
    std::size_t game, run;
  };
  std::vector<std::vector<double>> games_;
  std::vector<Place> places_;
  std::vector<double> values_;
  std::vector<BootstrapDraws> draws_;
};

// The weight above each threshold, of the whole weight. `thresholds` in any order.
std::vector<double> FractionsAbove(const PooledScores& scores, const std::vector<double>& weights,
                                   std::span<const double> thresholds) {
  const std::span<const double> values = scores.values();
  std::vector<double> above(values.size() + 1, 0.0);  // of the values from i
  for (std::size_t i = values.size(); i-- > 0;) above[i] = above[i + 1] + weights[i];
  std::vector<double> fractions;
  for (const double threshold : thresholds) {
    const auto first = std::upper_bound(values.begin(), values.end(), threshold);
    fractions.push_back(above[static_cast<std::size_t>(first - values.begin())] / above[0]);
  }
  return fractions;
}

// `counts`: how often each run of a game counts.
double ProbabilityIn(std::span<const double> x, std::span<const double> x_counts,
                     std::span<const double> y, std::span<const double> y_counts) {
  double wins = 0, pairs = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < y.size(); ++j) {
      const double count = x_counts[i] * y_counts[j];
      pairs += count;
      wins += count * (x[i] > y[j] ? 1.0 : x[i] == y[j] ? 0.5 : 0.0);
    }
  }
  return wins / pairs;
}

}  // namespace

std::string_view StatisticName(Statistic statistic) {
  return statistic == Statistic::kMean ? "mean" : "IQM";
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Median(std::span<const double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

double InterquartileMean(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return WeightedMiddleHalf(sorted, std::vector<double>(sorted.size(), 1.0));
}

double Quantile(std::span<const double> sorted, double fraction) {
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - std::floor(position));
}

BootstrapDraws::BootstrapDraws(std::size_t runs, const BootstrapOptions& bootstrap,
                               std::uint64_t stream)
    : runs_(runs) {
  const auto resamples = static_cast<std::size_t>(std::max(0, bootstrap.resamples));
  if (runs < 2) return;
  counts_.assign(resamples * runs, 0.0);
  RandomStream random = RandomStream::Derive(bootstrap.seed, "seed bootstrap", stream);
  for (std::size_t begin = 0; begin < counts_.size(); begin += runs) {
    for (std::size_t i = 0; i < runs; ++i) counts_[begin + random.Below(runs)] += 1;
  }
}

Estimate EstimateValues(std::vector<double> values, Statistic statistic,
                        const BootstrapDraws& draws) {
  GORILA_CHECK(values.size() == draws.runs(), "{} values of {} runs", values.size(), draws.runs());
  // The draws are of ranks, so that the order of runs does not count.
  std::sort(values.begin(), values.end());
  std::vector<double> resampled;
  for (std::size_t i = 0; i < draws.resamples(); ++i) {
    resampled.push_back(Weighted(statistic, values, draws.Counts(i)));
  }
  const std::vector<double> once(values.size(), 1.0);
  return WithInterval(Weighted(statistic, values, once), std::move(resampled));
}

Estimate EstimateScores(ScoresByGame games, Statistic statistic,
                        const BootstrapOptions& bootstrap) {
  const PooledScores scores(games, bootstrap);
  std::vector<double> resampled;
  for (std::size_t i = 0; i < scores.resamples(); ++i) {
    resampled.push_back(Weighted(statistic, scores.values(), scores.Weights(i)));
  }
  return WithInterval(Weighted(statistic, scores.values(), scores.Weights()), std::move(resampled));
}

Estimate EstimateScores(const std::vector<double>& runs, Statistic statistic,
                        const BootstrapOptions& bootstrap) {
  return EstimateValues(runs, statistic, BootstrapDraws(runs.size(), bootstrap));
}

std::vector<CurvePoint> PerformanceProfile(ScoresByGame games, std::span<const double> thresholds,
                                           const BootstrapOptions& bootstrap) {
  const PooledScores scores(games, bootstrap);
  std::vector<std::vector<double>> resampled(thresholds.size());
  for (std::size_t i = 0; i < scores.resamples(); ++i) {
    const auto fractions = FractionsAbove(scores, scores.Weights(i), thresholds);
    for (std::size_t k = 0; k < fractions.size(); ++k) resampled[k].push_back(fractions[k]);
  }
  const std::vector<double> whole = FractionsAbove(scores, scores.Weights(), thresholds);
  std::vector<CurvePoint> profile;
  for (std::size_t k = 0; k < thresholds.size(); ++k) {
    const Estimate at = WithInterval(whole[k], std::move(resampled[k]));
    profile.push_back({.x = thresholds[k], .mean = at.value, .low = at.low, .high = at.high});
  }
  return profile;
}

Estimate ProbabilityOfImprovement(ScoresByGame x, ScoresByGame y,
                                  const BootstrapOptions& bootstrap) {
  GORILA_CHECK(x.size() == y.size(), "{} and {} games", x.size(), y.size());
  const auto sorted_x = Sorted(x), sorted_y = Sorted(y);
  BootstrapOptions options = bootstrap;
  if (!AllRepeated(x) || !AllRepeated(y)) options.resamples = 0;
  const auto x_draws = DrawsOf(sorted_x, options, 0);
  const auto y_draws = DrawsOf(sorted_y, options, x.size());
  std::vector<double> values, resampled;
  for (std::size_t game = 0; game < x.size(); ++game) {
    const std::vector<double> once(std::max(x[game].size(), y[game].size()), 1.0);
    values.push_back(ProbabilityIn(sorted_x[game], once, sorted_y[game], once));
  }
  for (int i = 0; !x.empty() && i < static_cast<int>(x_draws.front().resamples()); ++i) {
    const auto at = static_cast<std::size_t>(i);
    double sum = 0;
    for (std::size_t game = 0; game < x.size(); ++game) {
      sum += ProbabilityIn(sorted_x[game], x_draws[game].Counts(at), sorted_y[game],
                           y_draws[game].Counts(at));
    }
    resampled.push_back(sum / static_cast<double>(x.size()));
  }
  return WithInterval(Mean(values), std::move(resampled));
}

}  // namespace gorila
