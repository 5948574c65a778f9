// What was published on the 49 Atari games: random, human, DQN and Gorila, by two protocols.
#ifndef GORILA_EVALUATION_ATARI_SCORES_H_
#define GORILA_EVALUATION_ATARI_SCORES_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// How the episodes of a published score begin (the Gorila paper, section 5).
enum class Starts { kNoop, kHuman };
inline constexpr std::array kAllStarts = {Starts::kNoop, Starts::kHuman};

// "null-op starts", "human starts".
std::string_view StartsName(Starts starts);
// "noop", "hs": endings of column names.
std::string_view StartsSuffix(Starts starts);

// Mean returns of one game, in its own points.
struct PublishedScores {
  double random = 0;
  double human = 0;
  double dqn = 0;     // Mnih et al. 2015
  double gorila = 0;  // Nair et al. 2015

  bool operator==(const PublishedScores&) const = default;
};

struct PublishedGame {
  std::string name;  // "ms_pacman"
  PublishedScores noop;
  PublishedScores human_starts;

  const PublishedScores& scores(Starts starts) const {
    return starts == Starts::kNoop ? noop : human_starts;
  }
};

// A table as data/atari/atari_scores.csv has it. DataLoss with the line for anything else.
StatusOr<std::vector<PublishedGame>> ParsePublishedScores(std::string_view csv);

// data/atari/atari_scores.csv, as it was when the program was built.
std::string_view AtariScoresText();

// Its 49 games, in the order of their names. Thread-safe.
const std::vector<PublishedGame>& PublishedAtariGames();

}  // namespace gorila

#endif  // GORILA_EVALUATION_ATARI_SCORES_H_
