#include "gorila/env/game_union.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gorila/env/game_list.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

EnvironmentSpec Picture(std::string name, int channels, int size,
                        std::vector<std::string> actions) {
  return {.name = std::move(name),
          .observation = {.channels = channels, .height = size, .width = size},
          .action_names = std::move(actions)};
}

std::unique_ptr<Environment> Make(const std::string& name, const EnvironmentOptions& options) {
  return MakeEnvironment(name, options, MakeRandomDraws(RandomStream(3))).value();
}

TEST(GameUnion, HasRoomForEachObservationAndAllActions) {
  const std::vector<EnvironmentSpec> games = {Picture("a", 2, 5, {"noop", "left"}),
                                              Picture("b", 1, 6, {"noop", "fire"})};
  const GameUnion all = UniteGames(games, false).value();
  EXPECT_EQ(all.spec.name, "a,b");
  EXPECT_EQ(all.spec.observation.channels, 2);
  EXPECT_EQ(all.spec.observation.height, 6);
  EXPECT_THAT(all.spec.action_names, ElementsAre("noop", "left", "fire"));
  EXPECT_THAT(all.own_actions, ElementsAre(ElementsAre(0, 1, -1), ElementsAre(0, -1, 1)));
  EXPECT_THAT(all.spec.game_actions, ElementsAre(ElementsAre(1, 1, 0), ElementsAre(1, 0, 1)));
}

TEST(GameUnion, RefusesGamesThatCannotShareANetwork) {
  const auto why = [](std::string_view names) {
    return std::string(DescribeEnvironment(names, {}).status().message());
  };
  EXPECT_THAT(why("classic/cart_pole,classic/catch"),
              HasSubstr("classic/cart_pole and classic/catch cannot share a network"));
  EXPECT_THAT(why("minatar/breakout,pixel/breakout"), HasSubstr("scale"));
}

TEST(GameUnion, APaddedGamePlaysAsOnItsOwn) {
  EnvironmentOptions shared;
  shared.games = GamesOfList("minatar");
  shared.minimal_actions = true;
  EnvironmentOptions alone = shared;
  alone.games.clear();
  for (std::size_t g = 0; g < shared.games.size(); ++g) {
    const std::unique_ptr<Environment> a = Make(shared.games[g], shared);
    const std::unique_ptr<Environment> b = Make(shared.games[g], alone);
    EXPECT_EQ(a->spec().game, static_cast<int>(g));
    EXPECT_EQ(a->spec().name, b->spec().name);
    EXPECT_EQ(a->spec().observation.channels, 10);
    std::vector<std::byte> wide(a->spec().observation.frame_bytes(), std::byte{9});
    std::vector<std::byte> own(b->spec().observation.frame_bytes());
    TimeStep step = b->Reset(own).value();
    ASSERT_TRUE(a->Reset(wide).ok());
    for (int i = 0; i < 200 && !step.last(); ++i) {
      const int action = i % b->spec().num_actions();
      const std::string& name = b->spec().action_names[static_cast<std::size_t>(action)];
      const auto& names = a->spec().action_names;
      const auto common = std::find(names.begin(), names.end(), name) - names.begin();
      step = b->Step(action, own).value();
      const TimeStep same = a->Step(static_cast<int>(common), wide).value();
      ASSERT_EQ(same.reward, step.reward);
      ASSERT_EQ(same.step_type, step.step_type);
      ASSERT_TRUE(std::equal(own.begin(), own.end(), wide.begin()));
      ASSERT_TRUE(std::all_of(wide.begin() + static_cast<std::ptrdiff_t>(own.size()), wide.end(),
                              [](std::byte value) { return value == std::byte{0}; }));
    }
  }
}

TEST(GameUnion, GameInputSaysWhichGameItIs) {
  EnvironmentOptions options;
  options.games = GamesOfList("minatar");
  options.game_input = true;
  for (std::size_t g = 0; g < options.games.size(); ++g) {
    const std::unique_ptr<Environment> game = Make(options.games[g], options);
    ASSERT_EQ(game->spec().observation.channels, 11);
    std::vector<std::byte> frame(game->spec().observation.frame_bytes());
    ASSERT_TRUE(game->Reset(frame).ok());
    for (std::size_t i = 0; i < 100; ++i) {
      EXPECT_EQ(frame[1000 + i], std::byte{i / 20 == g}) << i;
    }
  }
  options.games = {"classic/cart_pole", "classic/cart_pole_fourier"};
  const std::unique_ptr<Environment> game = Make(options.games[1], options);
  ASSERT_EQ(game->spec().observation.channels, 258);
  std::vector<float> frame(258, -1);
  ASSERT_TRUE(game->Reset(std::as_writable_bytes(std::span(frame))).ok());
  EXPECT_EQ(frame[256], 0);
  EXPECT_EQ(frame[257], 1);
}

}  // namespace
}  // namespace gorila
