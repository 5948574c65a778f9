#include "gorila/evaluation/games_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/evaluation/episode_film.h"
#include "gorila/evaluation/game_aggregate.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// Breakout lacks actions that Asterix has.
Config TwoGames() {
  Config config = testing_config::SmallConfig();
  config.environment.name = "minatar/breakout,minatar/asterix";
  config.environment.options.minimal_actions = true;
  config.actor.environments = 2;
  return config;
}

std::vector<float> RandomParameters(const Config& config) {
  return RunInitialParameters(config, MakeParameterLayout(ResolveNetwork(config).value()));
}

constexpr int kEpisodes = 3;

TEST(EvaluateGamesTest, EachGameIsPlayedAsIfItWereEvaluatedAlone) {
  const Config config = TwoGames();
  const std::vector<float> parameters = RandomParameters(config);
  const EvaluationRequest request{.protocol = "epsilon-0.05", .episodes = kEpisodes, .seed = 4};
  const EvaluationResult all = EvaluateGames(config, parameters, request).value();
  ASSERT_THAT(all.games, SizeIs(2));
  std::int64_t steps = 0;
  for (int i = 0; i < 2; ++i) {
    const EvaluationResult& game = all.games[static_cast<std::size_t>(i)];
    const EvaluationResult alone = Evaluate(OneGame(config, i), parameters, request).value();
    EXPECT_EQ(game.game, GamesOf(config)[static_cast<std::size_t>(i)]);
    EXPECT_EQ(game.returns, alone.returns);
    EXPECT_EQ(game.protocol, "epsilon-0.05");
    steps += alone.steps;
  }
  EXPECT_EQ(all.steps, steps);
  EXPECT_EQ(all.protocol, "epsilon-0.05");
  EXPECT_EQ(all.sticky_actions, config.environment.options.sticky_actions);
}

TEST(EvaluateGamesTest, TheWholeIsTheMeanOfTheGamesOnTheScaleOfTheAggregate) {
  const Config config = TwoGames();
  const EvaluationResult all =
      EvaluateGames(config, RandomParameters(config), {.episodes = kEpisodes}).value();
  const GameAggregate aggregate = GameAggregate::Of(GamesOf(config), false);
  EXPECT_EQ(all.aggregate, aggregate.name());
  EXPECT_THAT(all.returns, SizeIs(kEpisodes));
  const double expected = (aggregate.Scaled(0, all.games[0].summary.mean) +
                           aggregate.Scaled(1, all.games[1].summary.mean)) /
                          2;
  EXPECT_NEAR(all.summary.mean, expected, 1e-9);
}

TEST(EvaluateGamesTest, OneGameIsItsOwnEvaluation) {
  const Config config = testing_config::SmallConfig();
  const std::vector<float> parameters = RandomParameters(config);
  const EvaluationRequest request{.episodes = kEpisodes};
  const EvaluationResult all = EvaluateGames(config, parameters, request).value();
  EXPECT_EQ(all.returns, Evaluate(config, parameters, request)->returns);
  EXPECT_THAT(all.games, SizeIs(0));
  EXPECT_EQ(all.aggregate, "");
  EXPECT_EQ(ComparableAs(all), all.protocol);
}

TEST(EvaluateGamesTest, ResultsOfOtherGamesDoNotCompare) {
  const Config config = TwoGames();
  const EvaluationResult all =
      EvaluateGames(config, RandomParameters(config), {.episodes = 1}).value();
  EvaluationResult fewer = all;
  fewer.games.pop_back();
  EXPECT_NE(ComparableAs(all), ComparableAs(fewer));
}

TEST(EvaluateGamesTest, HumanStartsAreRefusedForSeveralGames) {
  Config config = TwoGames();
  config.evaluation.protocol = "human-starts";
  const Status refused = CheckEvaluation(config);
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_THAT(refused.ToString(), HasSubstr("evaluation.protocol"));
  EXPECT_EQ(CheckEvaluation(OneGame(config, 1)), OkStatus());
}

TEST(FilmGamesTest, ShowsEveryGameInPicturesOfOneSize) {
  const Config config = TwoGames();
  const std::vector<float> parameters = RandomParameters(config);
  const FilmRequest request{.epsilon = 0.1, .most_frames = 80};
  const std::vector<RgbImage> both = FilmGames(config, parameters, request).value();
  std::size_t frames = 0;
  for (int i = 0; i < 2; ++i) {
    const FilmRequest half{.epsilon = 0.1, .most_frames = 40};
    frames += FilmEpisode(OneGame(config, i), parameters, half)->frames.size();
  }
  ASSERT_EQ(both.size(), frames);
  for (const RgbImage& frame : both) {
    EXPECT_EQ(frame.width, both.front().width);
    EXPECT_EQ(frame.pixels.size(), 3 * std::size_t(frame.width) * std::size_t(frame.height));
  }
}

}  // namespace
}  // namespace gorila
