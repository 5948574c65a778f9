#include "gorila/env/minatar/minatar_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "gorila/base/random.h"
#include "gorila/env/minatar/asterix.h"
#include "gorila/env/minatar/breakout.h"
#include "gorila/env/minatar/freeway.h"
#include "gorila/env/minatar/seaquest.h"
#include "gorila/env/minatar/space_invaders.h"
#include "gorila/env/minatar/testing.h"
#include "gorila/env/picture.h"

namespace gorila::minatar {
namespace {

using testing::ElementsAre;

// Writes down the actions that reach it; draws Integer(0, 7) a step; never ends.
class RecordingGame final : public Game {
 public:
  explicit RecordingGame(std::vector<int>& executed) : executed_(executed) {}
  const GameInfo& info() const override {
    static constexpr std::array<Channel, 2> kChannels{
        {{"below", colour::kOrange}, {"above", colour::kWhite}}};
    static constexpr std::array<Action, 3> kMinimal{kNoOp, kUp, kFire};
    static constexpr GameInfo kInfo{"recording", kChannels, kMinimal};
    return kInfo;
  }
  // "below" at (0, 0) and (0, 1), "above" at (0, 1).
  void Observe(std::span<std::uint8_t> cells) const override {
    Planes planes(cells, 2);
    planes.Set(0, 0, 0);
    planes.Set(0, 0, 1);
    planes.Set(1, 0, 1);
  }

 private:
  void Start(DrawSource&) override {}
  Outcome Play(int action, DrawSource& draws) override {
    executed_.push_back(action);
    draws.Integer(0, 7);
    return {.reward = 2, .terminal = false};
  }
  void SaveFields(StateWriter&) const override {}
  Status RestoreFields(StateReader&, bool) override { return OkStatus(); }

  std::vector<int>& executed_;
};

class MinAtarEnvironmentTest : public testing::Test {
 protected:
  MinAtarEnvironment Make(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws) {
    return MinAtarEnvironment(std::make_unique<RecordingGame>(executed_), options,
                              std::move(draws));
  }

  std::vector<int> executed_;
  std::vector<std::byte> observation_ = std::vector<std::byte>(2 * kCells);
};

TEST_F(MinAtarEnvironmentTest, StickyDrawComesFirstAlsoWithProbabilityZero) {
  auto draws = std::make_unique<FixedDraws>();
  draws->U(0.0).I(0, 7, 3).U(0.99).I(0, 7, 3);
  MinAtarEnvironment environment = Make({.sticky_actions = 0}, std::move(draws));
  environment.Reset(observation_).value();
  environment.Step(4, observation_).value();
  environment.Step(5, observation_).value();
  EXPECT_THAT(executed_, ElementsAre(4, 5));
}

TEST_F(MinAtarEnvironmentTest, PreviousActionStartsAtNoOpAndOutlivesTheEpisode) {
  auto draws = std::make_unique<FixedDraws>();
  for (const double u : {0.05, 0.5, 0.05, 0.05}) draws->U(u).I(0, 7, 0);
  MinAtarEnvironment environment = Make({.sticky_actions = 0.1}, std::move(draws));
  environment.Reset(observation_).value();
  environment.Step(4, observation_).value();  // sticks to the initial no-op
  environment.Step(3, observation_).value();
  environment.Step(1, observation_).value();  // sticks to 3
  environment.Reset(observation_).value();
  environment.Step(2, observation_).value();  // sticks to 3 of the last episode
  EXPECT_THAT(executed_, ElementsAre(0, 3, 3, 3));
}

TEST_F(MinAtarEnvironmentTest, ActionsStickWithTheGivenProbability) {
  MinAtarEnvironment environment = Make({.sticky_actions = 0.25}, MakeRandomDraws(RandomStream(1)));
  environment.Reset(observation_).value();
  int stuck = 0;
  constexpr int kSteps = 40000;
  for (int i = 0; i < kSteps; ++i) {
    const int previous = executed_.empty() ? 0 : executed_.back();
    const int chosen = (previous + 1) % kNumActions;
    environment.Step(chosen, observation_).value();
    if (executed_.back() != chosen) {
      ++stuck;
      ASSERT_EQ(executed_.back(), previous);
    }
  }
  // Five standard deviations of a binomial: sqrt(0.25 * 0.75 / 40000) = 0.0022.
  EXPECT_NEAR(static_cast<double>(stuck) / kSteps, 0.25, 0.011);
}

TEST_F(MinAtarEnvironmentTest, AlwaysStickyRepeatsNoOpForEver) {
  MinAtarEnvironment environment = Make({.sticky_actions = 1}, MakeRandomDraws(RandomStream(1)));
  environment.Reset(observation_).value();
  for (int i = 0; i < 100; ++i) environment.Step(5, observation_).value();
  EXPECT_THAT(executed_, testing::Each(0));
}

TEST_F(MinAtarEnvironmentTest, MinimalActionsAreTheGamesOwn) {
  MinAtarEnvironment environment =
      Make({.sticky_actions = 0, .minimal_actions = true}, MakeRandomDraws(RandomStream(1)));
  EXPECT_THAT(environment.spec().action_names, ElementsAre("no-op", "up", "fire"));
  environment.Reset(observation_).value();
  for (int action = 0; action < 3; ++action) environment.Step(action, observation_).value();
  EXPECT_THAT(executed_, ElementsAre(kNoOp, kUp, kFire));
}

TEST_F(MinAtarEnvironmentTest, FullActionsAreAllSix) {
  MinAtarEnvironment environment = Make({}, MakeRandomDraws(RandomStream(1)));
  EXPECT_THAT(environment.spec().action_names,
              ElementsAre("no-op", "left", "up", "right", "down", "fire"));
}

TEST_F(MinAtarEnvironmentTest, RestoreBringsThePreviousActionBack) {
  MinAtarEnvironment environment = Make({.sticky_actions = 0}, MakeRandomDraws(RandomStream(1)));
  environment.Reset(observation_).value();
  environment.Step(5, observation_).value();
  StateWriter writer;
  environment.SaveState(writer);
  MinAtarEnvironment sticky = Make({.sticky_actions = 1}, MakeRandomDraws(RandomStream(2)));
  StateReader reader(writer.bytes());
  ASSERT_TRUE(sticky.RestoreState(reader).ok());
  sticky.Step(1, observation_).value();
  EXPECT_EQ(executed_.back(), 5);
}

TEST_F(MinAtarEnvironmentTest, RenderPaintsLaterChannelsOverEarlier) {
  MinAtarEnvironment environment = Make({}, MakeRandomDraws(RandomStream(1)));
  environment.Reset(observation_).value();
  RgbImage image;
  ASSERT_TRUE(environment.Render(image).ok());
  ASSERT_EQ(image.width, 160);
  ASSERT_EQ(image.height, 160);
  const auto pixel = [&image](int y, int x) {
    const std::size_t at = 3 * static_cast<std::size_t>(y * image.width + x);
    return Rgb{image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]};
  };
  EXPECT_EQ(pixel(0, 0), colour::kOrange);
  EXPECT_EQ(pixel(15, 15), colour::kOrange);
  EXPECT_EQ(pixel(15, 16), colour::kWhite);
  EXPECT_EQ(pixel(16, 0), colour::kBackground);
  EXPECT_EQ(pixel(0, 32), colour::kBackground);
}

TEST(MinAtarGamesTest, ChannelsAreToldApartByNameAndColour) {
  const Asterix asterix;
  const Breakout breakout;
  const Freeway freeway;
  const Seaquest seaquest;
  const SpaceInvaders space_invaders;
  for (const Game* game : std::initializer_list<const Game*>{&asterix, &breakout, &freeway,
                                                             &seaquest, &space_invaders}) {
    SCOPED_TRACE(std::string(game->info().name));
    std::set<std::string_view> names;
    std::set<std::array<int, 3>> colours{
        {colour::kBackground.red, colour::kBackground.green, colour::kBackground.blue}};
    for (const Channel& channel : game->info().channels) {
      EXPECT_TRUE(names.insert(channel.name).second) << channel.name;
      EXPECT_TRUE(
          colours.insert({channel.colour.red, channel.colour.green, channel.colour.blue}).second)
          << channel.name;
    }
    EXPECT_LE(game->info().channels.size(), static_cast<std::size_t>(kMaxChannels));
  }
}

TEST(MinAtarGamesTest, MinimalActionsAreThoseOfTheRules) {
  EXPECT_THAT(Asterix().info().minimal_actions, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Breakout().info().minimal_actions, ElementsAre(0, 1, 3));
  EXPECT_THAT(Freeway().info().minimal_actions, ElementsAre(0, 2, 4));
  EXPECT_THAT(Seaquest().info().minimal_actions, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(SpaceInvaders().info().minimal_actions, ElementsAre(0, 1, 3, 5));
}

}  // namespace
}  // namespace gorila::minatar
