#include "gorila/metrics/game_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using ::testing::ElementsAre;

TEST(GameNamesTest, FoldersAreLeftOutWhereTheRestTellsGamesApart) {
  const std::vector<std::string> names = {"minatar/breakout", "minatar/asterix", "pixel/breakout",
                                          "pong", "odd/"};
  EXPECT_THAT(ShortGameNames(names),
              ElementsAre("minatar/breakout", "asterix", "pixel/breakout", "pong", "odd/"));
}

}  // namespace
}  // namespace gorila
