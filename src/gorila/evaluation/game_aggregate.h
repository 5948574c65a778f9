// One number for several games that one network plays, whose points do not compare.
#ifndef GORILA_EVALUATION_GAME_AGGREGATE_H_
#define GORILA_EVALUATION_GAME_AGGREGATE_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gorila {

// Mean returns between which a game's score is placed: 0 and 1.
struct GameReference {
  std::string_view game;  // "minatar/breakout"
  double random = 0;      // of random play
  double reference = 0;
};

// The five MinAtar games: random play as `gorila evaluate --set evaluation.epsilon=1` measures it,
// and the DQN of Young & Tian 2019 (data/minatar/published.csv, 5 million frames).
std::span<const GameReference> MinAtarReferences();

class GameAggregate {
 public:
  // Atari games: human-normalised by what was published for null-op or `human_starts`
  // (data/atari/atari_scores.csv). MinAtar: by MinAtarReferences(). Others, and mixtures: the mean
  // logarithm of the return.
  static GameAggregate Of(std::span<const std::string> games, bool human_starts);

  // What the number is, with its reference: goes with it wherever it is shown.
  const std::string& name() const { return name_; }

  // Whether 0 and 1 mean the same in every game; logarithms of points do not.
  bool IsNormalised() const { return !references_.empty(); }

  // A return of game `game` on the scale that is averaged over games.
  double Scaled(std::size_t game, double episode_return) const;

 private:
  std::string name_;
  std::vector<GameReference> references_;  // one a game; empty: logarithms
};

}  // namespace gorila

#endif  // GORILA_EVALUATION_GAME_AGGREGATE_H_
