#include "gorila/env/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

namespace gorila {
namespace {

using testing::HasSubstr;

StatusOr<std::unique_ptr<Environment>> Make(std::string_view name,
                                            const EnvironmentOptions& options = {}) {
  return MakeEnvironment(name, options, MakeRandomDraws(RandomStream(1)));
}

void ExpectRefused(std::string_view name, const EnvironmentOptions& options,
                   const std::string& message) {
  const StatusOr<std::unique_ptr<Environment>> made = Make(name, options);
  EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(made.status().message()), HasSubstr(message));
}

TEST(RegistryTest, HasTheKnownEnvironmentsWithNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const EnvironmentRow& row : EnvironmentTable()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.summary.empty());
  }
  for (const char* name :
       {"minatar/asterix", "minatar/breakout", "minatar/freeway", "minatar/seaquest",
        "minatar/space_invaders", "classic/cart_pole", "classic/catch"}) {
    EXPECT_EQ(names.count(name), 1u) << name;
  }
}

TEST(RegistryTest, UnknownNameSuggestsTheNearest) {
  ExpectRefused("minatar/breakuot", {},
                "unknown environment 'minatar/breakuot'; did you mean 'minatar/breakout'? "
                "(gorila envs lists them)");
  ExpectRefused("classic/cartpole", {}, "did you mean 'classic/cart_pole'?");
  ExpectRefused("", {}, "unknown environment ''");
}

TEST(RegistryTest, NameWithoutFolderIsSuggestedNotAccepted) {
  for (const EnvironmentRow& row : EnvironmentTable()) {
    const std::string_view bare = row.name.substr(row.name.find('/') + 1);
    // Of those with the same last part, the first.
    ExpectRefused(bare, {}, fmt::format("/{}'?", bare));
  }
}

TEST(RegistryTest, OptionsOutOfRangeAreRefused) {
  for (const EnvironmentRow& row : EnvironmentTable()) {
    ExpectRefused(row.name, {.sticky_actions = 1.5},
                  "environment.sticky_actions is 1.5; allowed: 0 to 1");
    ExpectRefused(row.name, {.sticky_actions = -0.1},
                  "environment.sticky_actions is -0.1; allowed: 0 to 1");
    ExpectRefused(row.name, {.sticky_actions = std::nan("")}, "environment.sticky_actions is nan");
    ExpectRefused(row.name, {.max_episode_steps = -1},
                  "environment.max_episode_steps is -1; allowed: 0");
  }
}

TEST(RegistryTest, AtariOptionsOutOfRangeAreRefused) {
  const auto refused = [](const AtariOptions& atari, const std::string& message) {
    ExpectRefused("pixel/breakout", {.atari = atari}, message);
  };
  refused({.action_repeat = 0}, "atari.action_repeat is 0; allowed: 1 to 60");
  refused({.pooled_frames = 3}, "atari.pooled_frames is 3; allowed: 1 to 2");
  refused({.screen_size = 200}, "atari.screen_size is 200; allowed: 14 to 160");
  refused({.stack = 0}, "atari.stack is 0");
  refused({.noop_max = -1}, "atari.noop_max is -1");
  refused({.max_frames = -1}, "atari.max_frames is -1");
  refused({.repeat_action_probability = 1}, "atari.repeat_action_probability is 1");
  refused({.repeat_action_probability = std::nan("")}, "atari.repeat_action_probability is nan");
}

TEST(RegistryTest, EdgesOfTheRangesAreAccepted) {
  for (const double sticky : {0.0, 1.0}) {
    EXPECT_TRUE(Make("minatar/freeway", {.sticky_actions = sticky}).ok());
  }
}

TEST(RegistryTest, MinimalActionsChangeOnlyEnvironmentsThatUseThem) {
  for (const EnvironmentRow& row : EnvironmentTable()) {
    const auto full = Make(row.name, {.minimal_actions = false});
    const auto minimal = Make(row.name, {.minimal_actions = true});
    ASSERT_TRUE(full.ok() && minimal.ok());
    if (row.minimal_actions) {
      EXPECT_LE((*minimal)->spec().num_actions(), (*full)->spec().num_actions());
      EXPECT_EQ((*full)->spec().num_actions(), 6);
    } else {
      EXPECT_EQ((*minimal)->spec().action_names, (*full)->spec().action_names);
    }
  }
}

TEST(RegistryTest, AtariGamesNeedTheirRom) {
  // With the Arcade Learning Environment or without.
  ExpectRefused("atari/pong", {.atari = {.rom_folder = "no/such/folder"}},
                "environment 'atari/pong'");
  // Not 'gorila doctor': it prints this sentence itself.
  ExpectRefused("atari/pong", {}, "docs/atari.md");
  ExpectRefused("atari/pogn", {}, "did you mean 'atari/pong'?");
}

TEST(RegistryTest, ConsoleGamesAreThoseWithAScreen) {
  EXPECT_TRUE(IsConsoleGame("atari/pong"));
  EXPECT_TRUE(IsConsoleGame("pixel/breakout"));
  EXPECT_FALSE(IsConsoleGame("minatar/breakout"));
  EXPECT_FALSE(IsConsoleGame("atari/pogn"));
  EXPECT_EQ(AtariNames().size(), 108u);
}

TEST(RandomDrawsTest, FollowTheirStream) {
  RandomStream stream(9);
  const std::unique_ptr<DrawSource> draws = MakeRandomDraws(stream);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(draws->Uniform(), stream.Uniform());
    EXPECT_EQ(draws->Integer(3, 9), stream.Integer(3, 9));
  }
}

TEST(RandomDrawsTest, AllZeroStateIsDataLoss) {
  const std::unique_ptr<DrawSource> draws = MakeRandomDraws(RandomStream(9));
  const std::string zeros(32, '\0');
  StateReader reader(zeros);
  EXPECT_EQ(draws->RestoreState(reader).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace gorila
