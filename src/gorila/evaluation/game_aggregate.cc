#include "gorila/evaluation/game_aggregate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "gorila/env/atari/game_names.h"
#include "gorila/evaluation/atari_scores.h"

namespace gorila {
namespace {

// Random play: 10,000 episodes or more with sticky actions 0.1, difficulty ramping and all six
// actions.
constexpr std::array kMinAtar = {
    GameReference{"minatar/asterix", 0.49, 17}, GameReference{"minatar/breakout", 0.51, 10},
    GameReference{"minatar/freeway", 0.13, 50}, GameReference{"minatar/seaquest", 0.10, 20},
    GameReference{"minatar/space_invaders", 2.84, 44}};

std::optional<GameReference> MinAtarReference(std::string_view game) {
  const auto found = std::find_if(kMinAtar.begin(), kMinAtar.end(),
                                  [game](const GameReference& row) { return row.game == game; });
  if (found == kMinAtar.end()) return std::nullopt;
  return *found;
}

std::optional<GameReference> AtariReference(std::string_view game, Starts starts) {
  if (!game.starts_with(atari::kAtariFolder)) return std::nullopt;
  const std::string_view name = game.substr(std::string_view(atari::kAtariFolder).size());
  for (const PublishedGame& published : PublishedAtariGames()) {
    if (published.name != name) continue;
    const PublishedScores& scores = published.scores(starts);
    return GameReference{game, scores.random, scores.human};
  }
  return std::nullopt;
}

// Of all games, or of none.
template <typename Find>
std::vector<GameReference> ReferencesOf(std::span<const std::string> games, Find find) {
  std::vector<GameReference> references;
  for (const std::string& game : games) {
    const std::optional<GameReference> reference = find(game);
    if (!reference.has_value()) return {};
    references.push_back(*reference);
    references.back().game = {};  // which need not outlive `games`
  }
  return references;
}

}  // namespace

std::span<const GameReference> MinAtarReferences() { return kMinAtar; }

GameAggregate GameAggregate::Of(std::span<const std::string> games, bool human_starts) {
  GameAggregate aggregate;
  aggregate.references_ = ReferencesOf(games, &MinAtarReference);
  if (!aggregate.references_.empty()) {
    aggregate.name_ =
        "mean DQN-normalised score: 0 is random play and 1 the DQN of Young & Tian 2019";
    return aggregate;
  }
  const Starts starts = human_starts ? Starts::kHuman : Starts::kNoop;
  aggregate.references_ =
      ReferencesOf(games, [starts](std::string_view game) { return AtariReference(game, starts); });
  aggregate.name_ =
      aggregate.references_.empty()
          ? "mean of sign(x) ln(1 + |x|) over the returns x of all games"
          : fmt::format(
                "mean human-normalised score: 0 is random play and 1 a human, both by {} "
                "of Nair et al. 2015",
                StartsName(starts));
  return aggregate;
}

double GameAggregate::Scaled(std::size_t game, double episode_return) const {
  if (references_.empty()) {
    return std::copysign(std::log1p(std::abs(episode_return)), episode_return);
  }
  const GameReference& between = references_[game];
  return (episode_return - between.random) / (between.reference - between.random);
}

}  // namespace gorila
