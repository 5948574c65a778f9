// How often an actor explores.
#ifndef GORILA_ACTOR_EXPLORATION_H_
#define GORILA_ACTOR_EXPLORATION_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gorila {

enum class ExplorationClock { kFrames, kUpdates };

struct ExplorationOptions {
  double epsilon_start = 1.0;  // in [0, 1]
  double epsilon_end = 0.02;   // in [0, 1]
  // Linear from start to end over so many ticks of the clock (Gorila: 1,000,000 global updates).
  std::int64_t epsilon_ticks = 100000;
  ExplorationClock clock = ExplorationClock::kFrames;
  // Different exploration for each environment of all actors (paper section 4.1 allows it): number
  // i of n uses epsilon^(1 + spread * i / (n - 1)), as Ape-X does with 7. 0 = all the same.
  double spread = 0;
};

// Epsilon of environment `index` of `count` at `ticks` of the clock.
inline double Epsilon(const ExplorationOptions& options, std::int64_t ticks, int index, int count) {
  const double done =
      options.epsilon_ticks <= 0
          ? 1.0
          : std::min(1.0, static_cast<double>(ticks) / static_cast<double>(options.epsilon_ticks));
  const double epsilon =
      options.epsilon_start + done * (options.epsilon_end - options.epsilon_start);
  if (options.spread <= 0 || count < 2) return epsilon;
  return std::pow(epsilon, 1 + options.spread * index / (count - 1));
}

}  // namespace gorila

#endif  // GORILA_ACTOR_EXPLORATION_H_
