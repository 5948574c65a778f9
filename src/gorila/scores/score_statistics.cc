#include "gorila/scores/score_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gorila/base/random.h"
#include "gorila/base/status.h"

namespace gorila {
namespace {

using Games = std::vector<std::vector<double>>;

struct Statistics {
  double mean;
  double median;
  double interquartile_mean;
};

Statistics StatisticsOf(std::span<const std::vector<double>> games) {
  std::vector<double> means;
  std::vector<double> all;
  for (const std::vector<double>& runs : games) {
    means.push_back(Mean(runs));
    all.insert(all.end(), runs.begin(), runs.end());
  }
  return {Mean(means), Median(means), InterquartileMean(all)};
}

Resampling ChooseResampling(std::span<const std::vector<double>> games) {
  const bool several_runs =
      std::all_of(games.begin(), games.end(), [](const auto& runs) { return runs.size() >= 2; });
  if (!games.empty() && several_runs) return Resampling::kRuns;
  return games.size() >= 2 ? Resampling::kGames : Resampling::kNothing;
}

template <typename T>
std::vector<T> Resampled(std::span<const T> values, RandomStream& random) {
  std::vector<T> drawn;
  drawn.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    drawn.push_back(values[random.Below(values.size())]);
  }
  return drawn;
}

Games Resample(std::span<const std::vector<double>> games, Resampling resampling,
               RandomStream& random) {
  if (resampling == Resampling::kGames) return Resampled(games, random);
  Games drawn;
  for (const std::vector<double>& runs : games) {
    drawn.push_back(Resampled(std::span<const double>(runs), random));
  }
  return drawn;
}

void SetInterval(Estimate& estimate, std::vector<double> resamples) {
  std::sort(resamples.begin(), resamples.end());
  estimate.low = Quantile(resamples, 0.025);
  estimate.high = Quantile(resamples, 0.975);
}

}  // namespace

std::string_view DenominatorText(Denominator denominator) {
  return denominator == Denominator::kSigned ? "human - random (signed)"
                                             : "|human - random| (absolute)";
}

double NormalisedScore(double score, const Baseline& baseline, Denominator denominator) {
  const double range = baseline.human - baseline.random;
  return 100 * (score - baseline.random) /
         (denominator == Denominator::kSigned ? range : std::abs(range));
}

ScoreAggregates AggregateScores(std::span<const std::vector<double>> games,
                                const BootstrapOptions& bootstrap) {
  for (const std::vector<double>& runs : games) GORILA_CHECK(!runs.empty(), "a game without runs");
  const Statistics whole = StatisticsOf(games);
  ScoreAggregates aggregates{.games = games.size(),
                             .mean = {.value = whole.mean},
                             .median = {.value = whole.median},
                             .interquartile_mean = {.value = whole.interquartile_mean}};
  if (bootstrap.resamples < 1) return aggregates;
  aggregates.resampling = ChooseResampling(games);
  if (aggregates.resampling == Resampling::kNothing) return aggregates;
  RandomStream random = RandomStream::Derive(bootstrap.seed, "score bootstrap");
  std::vector<double> means, medians, interquartile_means;
  for (int i = 0; i < bootstrap.resamples; ++i) {
    const Statistics drawn = StatisticsOf(Resample(games, aggregates.resampling, random));
    means.push_back(drawn.mean);
    medians.push_back(drawn.median);
    interquartile_means.push_back(drawn.interquartile_mean);
  }
  SetInterval(aggregates.mean, std::move(means));
  SetInterval(aggregates.median, std::move(medians));
  SetInterval(aggregates.interquartile_mean, std::move(interquartile_means));
  return aggregates;
}

}  // namespace gorila
