#include "gorila/evaluation/atari_scores.h"

#include <set>

#include "gorila/base/csv.h"

namespace gorila {
namespace {

constexpr std::string_view kHeader =
    "game,random_noop,human_noop,dqn_noop,gorila_noop,random_hs,human_hs,dqn_hs,gorila_hs";
constexpr std::size_t kColumns = 9;

StatusOr<PublishedGame> ParseGame(std::string_view line) {
  const std::vector<std::string_view> cells = SplitAt(line, ',');
  if (cells.size() != kColumns || cells[0].empty()) {
    return DataLoss("line '{}' has {} columns; expected a game and 8 scores", line, cells.size());
  }
  std::array<double, kColumns> numbers{};
  for (std::size_t i = 1; i < kColumns; ++i) {
    const std::optional<double> number = ParseNumber(cells[i]);
    if (!number.has_value()) return DataLoss("line '{}': '{}' is not a number", line, cells[i]);
    numbers[i] = *number;
  }
  return PublishedGame{
      .name = std::string(cells[0]),
      .noop = {numbers[1], numbers[2], numbers[3], numbers[4]},
      .human_starts = {numbers[5], numbers[6], numbers[7], numbers[8]},
  };
}

}  // namespace

std::string_view StartsName(Starts starts) {
  return starts == Starts::kNoop ? "null-op starts" : "human starts";
}

std::string_view StartsSuffix(Starts starts) { return starts == Starts::kNoop ? "noop" : "hs"; }

StatusOr<std::vector<PublishedGame>> ParsePublishedScores(std::string_view csv) {
  const std::vector<std::string_view> lines = SplitLines(csv);
  if (lines.empty() || lines.front() != kHeader) {
    return DataLoss("the table of scores begins with '{}'; expected '{}'",
                    lines.empty() ? "" : lines.front(), kHeader);
  }
  std::vector<PublishedGame> games;
  std::set<std::string> names;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    GORILA_ASSIGN_OR_RETURN(PublishedGame game, ParseGame(lines[i]));
    if (!names.insert(game.name).second) return DataLoss("game '{}' is there twice", game.name);
    games.push_back(std::move(game));
  }
  return games;
}

const std::vector<PublishedGame>& PublishedAtariGames() {
  static const std::vector<PublishedGame> games = [] {
    auto parsed = ParsePublishedScores(AtariScoresText());
    GORILA_CHECK(parsed.ok(), "{}", parsed.status().ToString());
    return *std::move(parsed);
  }();
  return games;
}

}  // namespace gorila
