#include "gorila/config/games.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Config TwoGames() {
  Config config;
  EXPECT_TRUE(SetConfigValue(config, "environment.name", "minatar/breakout,minatar/asterix").ok());
  return config;
}

TEST(Games, AListIsKeptGameByGame) {
  Config config;
  ASSERT_TRUE(SetConfigValue(config, "environment.name", "minatar").ok());
  EXPECT_EQ(NumGames(config), 5);
  EXPECT_EQ(GamesOf(config).front(), "minatar/asterix");
  ASSERT_TRUE(SetConfigValue(config, "environment.name", "classic/catch").ok());
  EXPECT_THAT(GamesOf(config), ElementsAre("classic/catch"));
}

TEST(Games, AFileMayHaveAListOfNames) {
  Config config;
  ASSERT_TRUE(
      ApplyToml(config, "[environment]\nnames = ['minatar/freeway', 'minatar/seaquest']", "f")
          .ok());
  EXPECT_THAT(GamesOf(config), ElementsAre("minatar/freeway", "minatar/seaquest"));
}

TEST(Games, BadListsAreNamed) {
  Config config;
  const auto why = [&config](std::string_view names) {
    return std::string(SetConfigValue(config, "environment.name", names).message());
  };
  EXPECT_THAT(why("minatar/breakout,minatar/breakout"), HasSubstr("twice"));
  EXPECT_THAT(why("minatar/breakout,minatar/astrix"), HasSubstr("'minatar/asterix'"));
}

TEST(Games, AMisspeltListIsAnsweredWithTheNearestOne) {
  Config config;
  EXPECT_THAT(std::string(SetConfigValue(config, "environment.name", "minatr").message()),
              HasSubstr("environment.name is 'minatr'; did you mean 'minatar'?"));
  EXPECT_THAT(std::string(SetConfigValue(config, "environment.name", "brekout").message()),
              HasSubstr("did you mean 'minatar/breakout'?"));
}

TEST(Games, WhatIsWrongInAListOfAFileIsQuotedAsItIs) {
  Config config;
  const auto why = [&config](std::string_view entries) {
    return std::string(
        ApplyToml(config, fmt::format("[environment]\n{}\n", entries), "f").message());
  };
  EXPECT_EQ(
      why("names = [\"minatar/freeway\", 3]"),
      "f:2: environment.name is [ 'minatar/freeway', 3 ]; expected a name, or a list of names in "
      "quotes");
  EXPECT_EQ(why("names = []"),
            "f:2: environment.name is []; expected a name, or a list of names in quotes");
  EXPECT_THAT(why("names = ['minatar/freeway', 'minatar/seaqest']"),
              HasSubstr("unknown environment 'minatar/seaqest' in a list of games; did you mean "
                        "'minatar/seaquest'?"));
  EXPECT_THAT(why("names = ['minatr']"), HasSubstr("is 'minatr'; did you mean 'minatar'?"));
}

TEST(Games, AFileWithANameAndNamesIsRefused) {
  Config config;
  EXPECT_THAT(std::string(ApplyToml(config,
                                    "[environment]\nname = 'minatar/breakout'\n"
                                    "names = ['minatar/freeway', 'minatar/seaquest']\n",
                                    "f")
                              .message()),
              ::testing::MatchesRegex("f:[23]: environment.names? and environment.names? mean the "
                                      "same key; expected one of them"));
}

TEST(Games, OneOfThemLooksAsAllDo) {
  const Config config = TwoGames();
  const Config one = OneGame(config, 1);
  EXPECT_EQ(one.environment.name, "minatar/asterix");
  EXPECT_EQ(ResolveNetwork(one).value(), ResolveNetwork(config).value());
  EXPECT_EQ(ResolveNetwork(config)->num_games(), 2);
}

TEST(Games, ReplayGivesEachItsShare) {
  EXPECT_EQ(ResolveReplayOptions(TwoGames()).games, 2);
  EXPECT_EQ(ResolveReplayOptions(Config()).games, 1);
}

TEST(Games, AreAllInEveryReplayShard) {
  Config config = TwoGames();
  config.actor.environments = 2;
  config.cluster.actors = 3;
  config.cluster.learners = 1;
  config.cluster.replays = 3;
  config.run.bundles = 0;
  EXPECT_EQ(CheckConfig(config), OkStatus());
  config.cluster.replays = 4;
  EXPECT_THAT(std::string(CheckConfig(config).message()),
              HasSubstr("cluster.replays is 4; expected at most 3, the environments that play each "
                        "of the 2 games"));
}

TEST(Games, OfOneGameNothingChanges) {
  Config config;
  EXPECT_EQ(OneGame(config, 0).environment.options, config.environment.options);
  EXPECT_EQ(ResolveNetwork(config)->num_games(), 1);
  config.network.heads = GameHeads::kPerGame;
  EXPECT_FALSE(ResolveNetwork(config)->game_heads);
}

TEST(Games, AreFoundByTheEndOfTheirNames) {
  Config config = TwoGames();
  EXPECT_EQ(FindGame(config, "asterix").value(), 1);
  EXPECT_EQ(FindGame(config, "minatar/breakout").value(), 0);
  EXPECT_THAT(std::string(FindGame(config, "freeway").status().message()),
              HasSubstr("'freeway' is none of the run's games; expected one of minatar/breakout, "
                        "minatar/asterix"));
  config.environment.name = "python:own:Walk,gymnasium:CartPole-v1";
  EXPECT_EQ(FindGame(config, "Walk").value(), 0);
  EXPECT_EQ(FindGame(config, "CartPole-v1").value(), 1);
  EXPECT_FALSE(FindGame(config, "Pole-v1").ok());
  EXPECT_FALSE(FindGame(config, "").ok());
  config.environment.name = "minatar/breakout,pixel/breakout";
  EXPECT_THAT(std::string(FindGame(config, "breakout").status().message()),
              HasSubstr("more than one"));
}

TEST(Games, MustDivideTheEnvironments) {
  Config config;
  ASSERT_TRUE(SetConfigValue(config, "environment.name", "minatar").ok());
  config.actor.environments = 8;
  config.run.bundles = 2;
  EXPECT_THAT(std::string(CheckConfig(config).message()),
              HasSubstr("expected a multiple of 5, such as 10"));
  FitEnvironments(config);
  EXPECT_EQ(config.actor.environments, 10);
  EXPECT_EQ(CheckConfig(config), OkStatus());
  config.actor.environments = 1;
  config.run.bundles = 10;
  EXPECT_EQ(CheckConfig(config), OkStatus());
}

}  // namespace
}  // namespace gorila
