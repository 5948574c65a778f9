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
    ExpectRefused(bare, {}, fmt::format("did you mean '{}'?", row.name));
  }
}

TEST(RegistryTest, OptionsOutOfRangeAreRefused) {
  for (const EnvironmentRow& row : EnvironmentTable()) {
    ExpectRefused(row.name, {.sticky_actions = 1.5}, "sticky_actions is 1.5; allowed: 0 to 1");
    ExpectRefused(row.name, {.sticky_actions = -0.1}, "sticky_actions is -0.1; allowed: 0 to 1");
    ExpectRefused(row.name, {.sticky_actions = std::nan("")}, "sticky_actions is nan");
    ExpectRefused(row.name, {.max_episode_steps = -1}, "max_episode_steps is -1; allowed: 0");
  }
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
