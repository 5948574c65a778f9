#include "gorila/evaluation/game_aggregate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace gorila {
namespace {

using ::testing::HasSubstr;

GameAggregate Of(const std::vector<std::string>& games, bool human_starts = false) {
  return GameAggregate::Of(games, human_starts);
}

TEST(GameAggregateTest, AtariIsHumanNormalisedByTheStartsOfTheProtocol) {
  const std::vector<std::string> games = {"atari/alien", "atari/amidar"};
  EXPECT_DOUBLE_EQ(Of(games).Scaled(0, 227.8), 0);
  EXPECT_DOUBLE_EQ(Of(games).Scaled(0, 6875.4), 1);
  EXPECT_DOUBLE_EQ(Of(games).Scaled(1, 1675.8), 1);
  EXPECT_THAT(Of(games).name(), HasSubstr("human-normalised"));
  EXPECT_TRUE(Of(games).IsNormalised());
  EXPECT_THAT(Of(games).name(), HasSubstr("null-op starts"));
  EXPECT_DOUBLE_EQ(Of(games, true).Scaled(0, 6371.3), 1);
  EXPECT_THAT(Of(games, true).name(), HasSubstr("human starts"));
}

TEST(GameAggregateTest, MinAtarIsPlacedBetweenRandomPlayAndDqn) {
  const GameAggregate aggregate = Of({"minatar/breakout", "minatar/asterix"});
  for (const GameReference& row : MinAtarReferences()) {
    EXPECT_GT(row.reference, row.random) << row.game;
    if (row.game != "minatar/asterix") continue;
    EXPECT_DOUBLE_EQ(aggregate.Scaled(1, row.random), 0);
    EXPECT_DOUBLE_EQ(aggregate.Scaled(1, row.reference), 1);
  }
  EXPECT_THAT(aggregate.name(), HasSubstr("Young & Tian 2019"));
}

TEST(GameAggregateTest, OtherGamesAndMixturesAreLogarithms) {
  for (const std::string other : {"classic/catch", "atari/adventure", "pixel/breakout"}) {
    const GameAggregate aggregate = Of({"minatar/breakout", other});
    EXPECT_DOUBLE_EQ(aggregate.Scaled(0, 3), std::log(4.0)) << other;
    EXPECT_DOUBLE_EQ(aggregate.Scaled(1, -3), -std::log(4.0)) << other;
    EXPECT_FALSE(aggregate.IsNormalised()) << other;
    EXPECT_THAT(aggregate.name(), HasSubstr("sign(x) ln(1 + |x|)")) << other;
  }
}

}  // namespace
}  // namespace gorila
