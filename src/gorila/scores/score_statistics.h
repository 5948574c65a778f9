// Normalised scores and their aggregates over games. Pure functions.
#ifndef GORILA_SCORES_SCORE_STATISTICS_H_
#define GORILA_SCORES_SCORE_STATISTICS_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gorila/metrics/seed_statistics.h"

namespace gorila {

// What a score above random is divided by. They differ where people play worse than chance: in
// Video Pinball with human starts.
enum class Denominator {
  kSigned,   // human - random: the Gorila paper's
  kAbsolute  // |human - random|
};
std::string_view DenominatorText(Denominator denominator);  // "human - random (signed)"

// 100 * (score - random) / denominator: 0 = random play, 100 = human. Infinite or NaN where human
// equals random.
struct Baseline {
  double random = 0;
  double human = 0;
};
double NormalisedScore(double score, const Baseline& baseline, Denominator denominator);

// What the bootstrap draws again.
enum class Resampling {
  kNothing,  // too little to draw from: no intervals
  kRuns,     // the runs of each game (stratified): what other seeds would give. Agarwal et al. 2021
  kGames     // the games, where a game has a single run: what other games like these would give
};

struct ScoreAggregates {
  std::size_t games = 0;
  Estimate mean;                // of the games' mean scores
  Estimate median;              // likewise
  Estimate interquartile_mean;  // of all runs of all games
  Resampling resampling = Resampling::kNothing;
};

// `games`: for each game the normalised scores of its runs, at least one each.
ScoreAggregates AggregateScores(std::span<const std::vector<double>> games,
                                const BootstrapOptions& bootstrap);

}  // namespace gorila

#endif  // GORILA_SCORES_SCORE_STATISTICS_H_
