#include "gorila/evaluation/atari_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "gorila/base/file.h"
#include "gorila/env/game_list.h"

namespace gorila {
namespace {

using testing::HasSubstr;

constexpr const char* kHeader =
    "game,random_noop,human_noop,dqn_noop,gorila_noop,random_hs,human_hs,dqn_hs,gorila_hs\n";

TEST(AtariScoresTest, HasThe49GamesInTheOrderOfTheirNames) {
  const auto& games = PublishedAtariGames();
  ASSERT_EQ(games.size(), 49u);
  EXPECT_TRUE(std::is_sorted(games.begin(), games.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  EXPECT_EQ(games[11].name, "breakout");
  EXPECT_EQ(games[11].noop, (PublishedScores{1.7, 31.8, 401.2, 402.2}));
  EXPECT_EQ(games[11].human_starts, (PublishedScores{1.6, 27.9, 303.9, 313.03}));
}

TEST(AtariScoresTest, TheListAtari49HasTheSameGames) {
  std::vector<std::string> games;
  for (const PublishedGame& game : PublishedAtariGames()) {
    games.push_back(fmt::format("atari/{}", game.name));
  }
  EXPECT_EQ(GamesOfList("atari49"), games);
}

TEST(AtariScoresTest, IsTheFileOfTheSources) {
  EXPECT_EQ(ReadFile(std::string(GORILA_SOURCE_DIR) + "/data/atari/atari_scores.csv").value(),
            AtariScoresText());
}

TEST(AtariScoresTest, RefusesADamagedTable) {
  const auto message = [](const std::string& text) {
    const Status status = ParsePublishedScores(text).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(message(""), HasSubstr("expected 'game,random_noop"));
  EXPECT_THAT(message("name,score\n"), HasSubstr("begins with 'name,score'"));
  EXPECT_THAT(message(std::string(kHeader) + "pong,1,2,3\n"), HasSubstr("has 4 columns"));
  EXPECT_THAT(message(std::string(kHeader) + "pong,1,2,3,4,5,six,7,8\n"),
              HasSubstr("'six' is not a number"));
  EXPECT_THAT(message(std::string(kHeader) + "pong,1,2,3,4,5,6,7,8\npong,1,2,3,4,5,6,7,8\n"),
              HasSubstr("'pong' is there twice"));
}

}  // namespace
}  // namespace gorila
