// Environments through the functions of gorila.h, as a program that is not ours uses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "gorila/env/registry.h"
#include "gorila/library/gorila.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

struct Free {
  void operator()(gorila_environments* environments) const {
    gorila_environments_free(environments);
  }
};
using Handle = std::unique_ptr<gorila_environments, Free>;

// Environments with the arrays that they write to.
struct Games {
  Handle handle;
  gorila_spec spec = {};
  std::size_t count = 0;
  std::vector<std::uint8_t> observations, final_observations, terminated, truncated;
  std::vector<double> rewards;

  std::int32_t Reset(const std::vector<std::uint64_t>& seeds = {},
                     const std::vector<std::uint8_t>& mask = {}) {
    return gorila_environments_reset(handle.get(), seeds.empty() ? nullptr : seeds.data(),
                                     mask.empty() ? nullptr : mask.data(), observations.data());
  }
  std::int32_t Step(const std::vector<std::int64_t>& actions) {
    return gorila_environments_step(handle.get(), actions.data(), observations.data(),
                                    rewards.data(), terminated.data(), truncated.data(),
                                    final_observations.data());
  }
  std::vector<std::uint8_t> Row(const std::vector<std::uint8_t>& rows, std::size_t i) const {
    const auto bytes = static_cast<std::ptrdiff_t>(spec.observation_bytes);
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(i) * bytes;
    return {begin, begin + bytes};
  }
  std::string Save(std::int32_t index) {
    std::size_t needed = 0;
    EXPECT_EQ(gorila_environments_save(handle.get(), index, nullptr, 0, &needed), GORILA_OK);
    std::string state(needed, '\0');
    EXPECT_EQ(gorila_environments_save(handle.get(), index, state.data(), needed, &needed),
              GORILA_OK);
    return state;
  }
};

std::int32_t Make(const char* name, const std::vector<const char*>& settings, int count,
                  std::uint32_t flags, Handle& handle) {
  gorila_environments* made = nullptr;
  const std::int32_t code = gorila_environments_make(name, settings.data(), settings.size(), count,
                                                     /*seed=*/5, flags, &made);
  handle.reset(made);
  return code;
}

Games MakeGames(const char* name, const std::vector<const char*>& settings, int count,
                std::uint32_t flags = 0) {
  Games games;
  EXPECT_EQ(Make(name, settings, count, flags, games.handle), GORILA_OK) << gorila_last_error();
  games.spec.struct_size = sizeof games.spec;
  EXPECT_EQ(gorila_environments_spec(games.handle.get(), &games.spec), GORILA_OK);
  games.count = static_cast<std::size_t>(count);
  games.observations.resize(games.count * games.spec.observation_bytes, 77);
  games.final_observations = games.observations;
  games.terminated.resize(games.count);
  games.truncated.resize(games.count);
  games.rewards.resize(games.count);
  return games;
}

TEST(LibraryEnvironmentsTest, ASpecSaysWhatTheTableSays) {
  const Games games = MakeGames("minatar/breakout", {"minimal_actions=true"}, 1);
  EXPECT_EQ(games.spec.element, GORILA_UINT8);
  EXPECT_EQ(games.spec.channels, 4);
  EXPECT_EQ(games.spec.height, 10);
  EXPECT_EQ(games.spec.num_actions, 3);
  EXPECT_EQ(games.spec.observation_bytes, 400u);
  EXPECT_STREQ(gorila_environments_action_name(games.handle.get(), 1), "left");
  EXPECT_EQ(gorila_environments_action_name(games.handle.get(), 3), nullptr);
  std::size_t names = 0;
  while (gorila_environment_name(names) != nullptr) ++names;
  EXPECT_EQ(names, EnvironmentTable().size());
}

TEST(LibraryEnvironmentsTest, AnOlderCallersShorterSpecIsFilledAsFarAsItGoes) {
  const Games games = MakeGames("classic/catch", {}, 1);
  gorila_spec spec = {};
  spec.struct_size = offsetof(gorila_spec, num_actions);
  spec.num_actions = -7;
  ASSERT_EQ(gorila_environments_spec(games.handle.get(), &spec), GORILA_OK);
  EXPECT_EQ(spec.width, games.spec.width);
  EXPECT_EQ(spec.num_actions, -7);
}

// The same seed gives the same episode whatever was played before and beside it.
TEST(LibraryEnvironmentsTest, ASeedDecidesAnEpisode) {
  Games several = MakeGames("minatar/breakout", {}, 3);
  Games one = MakeGames("minatar/breakout", {}, 1);
  ASSERT_EQ(several.Reset(), GORILA_OK);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(several.Step({1, 3, i % 6}), GORILA_OK);
  ASSERT_EQ(several.Reset({4, 9, 4}), GORILA_OK);
  ASSERT_EQ(one.Reset({9}), GORILA_OK);
  EXPECT_NE(several.Row(several.observations, 0), several.Row(several.observations, 1));
  for (std::int64_t i = 0; i < 300; ++i) {
    const std::int64_t action = i * i % 6;
    ASSERT_EQ(several.Row(several.observations, 1), one.observations) << i;
    ASSERT_EQ(several.Row(several.observations, 0), several.Row(several.observations, 2)) << i;
    ASSERT_EQ(several.Step({action, action, action}), GORILA_OK);
    ASSERT_EQ(one.Step({action}), GORILA_OK);
    EXPECT_EQ(several.rewards[1], one.rewards[0]);
    EXPECT_EQ(several.terminated[1], one.terminated[0]);
  }
}

TEST(LibraryEnvironmentsTest, AnEpisodesEndGivesItsLastObservationAndTheNextOnesFirst) {
  Games reset = MakeGames("classic/catch", {}, 2);
  Games stays = MakeGames("classic/catch", {}, 2, GORILA_NO_AUTORESET);
  ASSERT_EQ(reset.Reset({1, 2}), GORILA_OK);
  ASSERT_EQ(stays.Reset({1, 2}), GORILA_OK);
  int ends = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(reset.observations, stays.observations) << i;
    ASSERT_EQ(reset.Step({0, i % 3}), GORILA_OK) << gorila_last_error();
    ASSERT_EQ(stays.Step({0, i % 3}), GORILA_OK) << gorila_last_error();
    ASSERT_EQ(reset.terminated, stays.terminated);
    EXPECT_THAT(reset.truncated, Each(0));
    if (reset.terminated[0] == 0) continue;
    ++ends;  // of both: every episode is as long
    EXPECT_EQ(reset.final_observations, stays.observations);
    EXPECT_EQ(stays.Step({0, 0}), GORILA_INVALID_ARGUMENT);
    EXPECT_THAT(gorila_last_error(), HasSubstr("environment 0 of classic/catch needs a reset"));
    ASSERT_EQ(stays.Reset(), GORILA_OK);
  }
  EXPECT_GT(ends, 5);
}

TEST(LibraryEnvironmentsTest, ALimitTruncates) {
  Games games =
      MakeGames("classic/cart_pole", {"environment.max_episode_steps=3"}, 1, GORILA_NO_AUTORESET);
  EXPECT_EQ(games.spec.element, GORILA_FLOAT32);
  ASSERT_EQ(games.Reset({1}), GORILA_OK);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(games.Step({i % 2}), GORILA_OK);
    EXPECT_EQ(games.truncated[0], i == 2 ? 1 : 0);
    EXPECT_EQ(games.terminated[0], 0);
    EXPECT_EQ(games.rewards[0], 1);
  }
}

TEST(LibraryEnvironmentsTest, AMaskResetsSome) {
  Games games = MakeGames("minatar/asterix", {}, 2);
  ASSERT_EQ(games.Reset({1, 2}), GORILA_OK);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(games.Step({1, 1}), GORILA_OK);
  const auto before = games.observations;
  ASSERT_EQ(games.Reset({8, 1}, {0, 1}), GORILA_OK);
  EXPECT_EQ(games.Row(games.observations, 0), games.Row(before, 0));
  EXPECT_NE(games.Row(games.observations, 1), games.Row(before, 1));
}

TEST(LibraryEnvironmentsTest, FramesAreStackedOldestFirst) {
  Games games = MakeGames("pixel/breakout", {"atari.noop_max=0"}, 1);
  EXPECT_EQ(games.spec.stack, 4);
  ASSERT_EQ(games.Reset({1}), GORILA_OK);
  const std::size_t frame = games.spec.observation_bytes / 4;
  const auto newest = games.observations.end() - static_cast<std::ptrdiff_t>(frame);
  EXPECT_TRUE(std::all_of(games.observations.begin(), newest, [](int byte) { return byte == 0; }));
  const std::vector<std::uint8_t> first(newest, games.observations.end());
  EXPECT_GT(*std::max_element(first.begin(), first.end()), 0);
  ASSERT_EQ(games.Step({0}), GORILA_OK);
  EXPECT_EQ(std::memcmp(&games.observations[2 * frame], first.data(), frame), 0);
}

TEST(LibraryEnvironmentsTest, AStateContinuesBitForBit) {
  Games games = MakeGames("pixel/asterix", {"stack=2"}, 2);
  ASSERT_EQ(games.Reset({1, 2}), GORILA_OK);
  for (int i = 0; i < 30; ++i) ASSERT_EQ(games.Step({i % 5, i % 3}), GORILA_OK);
  const std::string state = games.Save(1);
  const auto then = games.Row(games.observations, 1);
  std::vector<std::vector<std::uint8_t>> first;
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(games.Step({0, i % 5}), GORILA_OK);
    first.push_back(games.Row(games.observations, 1));
  }
  std::vector<std::uint8_t> observation(games.spec.observation_bytes);
  ASSERT_EQ(gorila_environments_restore(games.handle.get(), 1, state.data(), state.size(),
                                        observation.data()),
            GORILA_OK);
  EXPECT_EQ(observation, then);
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(games.Step({1, i % 5}), GORILA_OK);
    ASSERT_EQ(games.Row(games.observations, 1), first[static_cast<std::size_t>(i)]) << i;
  }
}

TEST(LibraryEnvironmentsTest, ADamagedStateIsRefusedAndAsksForAReset) {
  Games games = MakeGames("minatar/freeway", {}, 1);
  ASSERT_EQ(games.Reset({1}), GORILA_OK);
  const std::string state = games.Save(0);
  for (const std::string& wrong :
       {std::string("nonsense"), state.substr(0, state.size() - 1), state + "x", std::string()}) {
    EXPECT_EQ(gorila_environments_restore(games.handle.get(), 0, wrong.data(), wrong.size(),
                                          games.observations.data()),
              GORILA_DATA_LOSS);
    EXPECT_EQ(games.Step({0}), GORILA_INVALID_ARGUMENT);
  }
  Games other = MakeGames("minatar/asterix", {}, 1);
  EXPECT_EQ(gorila_environments_restore(other.handle.get(), 0, state.data(), state.size(),
                                        other.observations.data()),
            GORILA_DATA_LOSS);
  EXPECT_EQ(games.Reset(), GORILA_OK);
  EXPECT_EQ(games.Step({0}), GORILA_OK);
}

TEST(LibraryEnvironmentsTest, AWrongActionStepsNothing) {
  Games games = MakeGames("minatar/breakout", {}, 2);
  EXPECT_EQ(games.Step({0, 0}), GORILA_INVALID_ARGUMENT);  // before the first reset
  ASSERT_EQ(games.Reset({1, 2}), GORILA_OK);
  const std::string before = games.Save(0);
  for (const std::int64_t action : {std::int64_t{6}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    EXPECT_EQ(games.Step({0, action}), GORILA_INVALID_ARGUMENT);
    EXPECT_THAT(gorila_last_error(), AllOf(HasSubstr("environment 1"), HasSubstr("0 to 5")));
  }
  EXPECT_EQ(games.Save(0), before);
}

TEST(LibraryEnvironmentsTest, APictureComesInTwoCalls) {
  Games games = MakeGames("minatar/breakout", {}, 1);
  ASSERT_EQ(games.Reset({1}), GORILA_OK);
  std::int32_t height = 0, width = 0;
  gorila_environments* const handle = games.handle.get();
  ASSERT_EQ(gorila_environments_render(handle, 0, nullptr, 0, &height, &width), GORILA_OK);
  EXPECT_EQ(height, 160);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * 3));
  EXPECT_EQ(gorila_environments_render(handle, 0, pixels.data(), 5, &height, &width),
            GORILA_INVALID_ARGUMENT);
  ASSERT_EQ(gorila_environments_render(handle, 0, pixels.data(), pixels.size(), &height, &width),
            GORILA_OK);
  EXPECT_GT(*std::max_element(pixels.begin(), pixels.end()), 100);
}

TEST(LibraryEnvironmentsTest, ErrorsNameWhatIsWrong) {
  struct Case {
    const char* name;
    std::vector<const char*> settings;
    int count;
    const char* fragment;
  };
  for (const Case& wrong : {Case{"breakout", {}, 1, "minatar/breakout"},
                            Case{"minatar/breakout", {"stiky_actions=0"}, 1, "sticky_actions"},
                            Case{"minatar/breakout", {"sticky_actions=2"}, 1, "sticky_actions"},
                            Case{"minatar/breakout", {"sticky_actions"}, 1, "key=value"},
                            Case{"minatar/breakout", {"learner.n_step=3"}, 1, "learner.n_step"},
                            Case{"minatar/breakout", {"name=classic/catch"}, 1, "name"},
                            Case{"minatar/breakout", {nullptr}, 1, "settings is NULL"},
                            Case{"minatar/breakout", {}, 0, "count is 0"}}) {
    Handle handle;
    EXPECT_EQ(Make(wrong.name, wrong.settings, wrong.count, 0, handle), GORILA_INVALID_ARGUMENT);
    EXPECT_EQ(handle, nullptr);
    EXPECT_THAT(gorila_last_error(), HasSubstr(wrong.fragment));
  }
}

}  // namespace
}  // namespace gorila
