// Rewards on a scale of their own game's: learners of several games, or of one whose rewards are
// large, see returns of about the same size.
#ifndef GORILA_ACTOR_REWARD_NORMALISER_H_
#define GORILA_ACTOR_REWARD_NORMALISER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/env/environment.h"

namespace gorila {

// Divides rewards by the standard deviation of the discounted returns of their game, over all steps
// of this actor's environments so far, and clips them to +-kMost. Used by one thread at a time.
class RewardNormaliser {
 public:
  static constexpr double kMost = 10;

  // `games`: of each environment.
  RewardNormaliser(double discount, std::vector<int> games);

  // The reward of environment `i`'s step, which counts. Until a game's returns have differed, its
  // rewards are only clipped.
  float Normalise(std::size_t i, const TimeStep& step);
  // Environment `i`'s episode ended without a last step: the next one's return begins at 0.
  void EndEpisode(std::size_t i) { returns_[i] = 0; }

  // A restored object continues bit for bit. Restore gives DataLoss for the state of other
  // environments.
  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  struct Game {  // Welford's running mean and variance
    std::int64_t count = 0;
    double mean = 0;
    double squared_deviations = 0;
  };

  double discount_;
  std::vector<int> games_;
  std::vector<double> returns_;  // of each environment, discounted, up to now
  std::vector<Game> statistics_;
};

}  // namespace gorila

#endif  // GORILA_ACTOR_REWARD_NORMALISER_H_
