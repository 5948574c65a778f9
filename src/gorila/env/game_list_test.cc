#include "gorila/env/game_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(GameList, ExpandsListsInTheirPlace) {
  EXPECT_THAT(ExpandGames("classic/catch,minatar").value(),
              ElementsAre("classic/catch", "minatar/asterix", "minatar/breakout", "minatar/freeway",
                          "minatar/seaquest", "minatar/space_invaders"));
  EXPECT_EQ(ExpandGames("atari49").value().size(), 49u);
}

TEST(GameList, LeavesOneNameAsItIs) {
  EXPECT_THAT(ExpandGames("no/such_game").value(), ElementsAre("no/such_game"));
  EXPECT_THAT(ExpandGames("plugin:./a,b.so").value(), ElementsAre("plugin:./a,b.so"));
  EXPECT_THAT(ExpandGames("plugin:./a,b.so,minatar/freeway,gymnasium:Own-v0").value(),
              ElementsAre("plugin:./a,b.so", "minatar/freeway", "gymnasium:Own-v0"));
}

TEST(GameList, RefusesWhatCannotBeInAList) {
  const auto message = [](std::string_view text) {
    return std::string(ExpandGames(text).status().message());
  };
  EXPECT_THAT(message("minatar/breakout,minatar"), HasSubstr("'minatar/breakout' twice"));
  EXPECT_THAT(message("minatar/breakout,"), HasSubstr("an empty name"));
  EXPECT_THAT(message("minatar/breakout,minatar/brekout"),
              HasSubstr("did you mean 'minatar/breakout'"));
  EXPECT_THAT(message("minatar/breakout,python:module"), HasSubstr("python:module"));
}

TEST(GameList, HasAShortNameForPeople) {
  EXPECT_EQ(GamesLabel("minatar/breakout"), "minatar/breakout");
  EXPECT_EQ(GamesLabel("minatar/breakout,minatar/asterix"), "minatar/breakout,minatar/asterix");
  std::string all;
  for (const std::string& game : GamesOfList("minatar")) all += game + ",";
  all.pop_back();
  EXPECT_EQ(GamesLabel(all), "minatar");
  EXPECT_EQ(GamesLabel(all + ",classic/catch"), "6 games");
}

}  // namespace
}  // namespace gorila
