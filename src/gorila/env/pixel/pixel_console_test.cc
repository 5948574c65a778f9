#include "gorila/env/pixel/pixel_console.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gorila/base/random.h"
#include "gorila/env/minatar/asterix.h"
#include "gorila/env/minatar/breakout.h"
#include "gorila/env/minatar/freeway.h"
#include "gorila/env/minatar/seaquest.h"
#include "gorila/env/minatar/space_invaders.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

using atari::Joystick;
using Screen = std::vector<std::uint8_t>;

template <typename Game>
class Played {
 public:
  explicit Played(std::uint64_t seed = 1)
      : console_(std::make_unique<Game>()), draws_(MakeRandomDraws(RandomStream(seed))) {
    console_.Reset(*draws_);
  }
  void Reset() { console_.Reset(*draws_); }
  float Act(Joystick position) { return console_.Act(position, *draws_); }
  Screen Show() const {
    Screen screen(console_.spec().screen_size(), 255);
    console_.ReadScreen(screen);
    return screen;
  }
  PixelConsole& console() { return console_; }

 private:
  PixelConsole console_;
  std::unique_ptr<DrawSource> draws_;
};

int Count(const Screen& screen, std::uint8_t colour) {
  return static_cast<int>(std::count(screen.begin(), screen.end(), colour));
}

// The columns in which `colour` is, from the first to the last.
std::pair<int, int> Columns(const Screen& screen, std::uint8_t colour) {
  std::set<int> columns;
  for (std::size_t i = 0; i < screen.size(); ++i) {
    if (screen[i] == colour) columns.insert(static_cast<int>(i % 160));
  }
  return columns.empty() ? std::pair{-1, -1} : std::pair{*columns.begin(), *columns.rbegin()};
}

constexpr std::uint8_t kPaddleColour = 5;  // red
constexpr std::uint8_t kBrickColour = 6;

TEST(PixelConsoleTest, TheGameMakesAStepEveryFourFrames) {
  Played<minatar::SpaceInvaders> game;
  minatar::SpaceInvaders alone;
  const auto draws = MakeRandomDraws(RandomStream(1));
  alone.Reset(*draws);
  RandomStream random(2);
  for (int i = 0; i < 400; ++i) {
    const bool fires = random.Integer(0, 2) == 1;
    float points = game.Act(fires ? Joystick::kFire : Joystick::kNoOp);
    // Only the first of the frames decides.
    for (int k = 1; k < PixelConsole::kFramesPerStep; ++k) points += game.Act(Joystick::kLeft);
    const minatar::Outcome outcome = alone.Act(fires ? minatar::kFire : minatar::kNoOp, *draws);
    ASSERT_EQ(points, outcome.reward);
    if (outcome.terminal) break;
  }
}

TEST(PixelConsoleTest, ObjectsGlideBetweenSteps) {
  Played<minatar::Breakout> game;
  const int start = Columns(game.Show(), kPaddleColour).first;
  std::vector<int> moved;
  for (int i = 0; i < 4; ++i) {
    game.Act(Joystick::kRight);
    moved.push_back(Columns(game.Show(), kPaddleColour).first - start);
  }
  EXPECT_EQ(moved, (std::vector<int>{4, 8, 12, 16}));
}

TEST(PixelConsoleTest, SomeObjectsAreDrawnOnEverySecondFrameOnly) {
  Played<minatar::Freeway> game;
  constexpr std::uint8_t kCarColour = 9;
  game.Act(Joystick::kNoOp);
  const Screen one = game.Show();
  game.Act(Joystick::kNoOp);
  const Screen other = game.Show();
  // Eight cars, four a frame; no row of the screen has cars on both frames.
  EXPECT_EQ(Count(one, kCarColour), Count(other, kCarColour));
  EXPECT_GT(Count(one, kCarColour), 0);
  for (std::size_t row = 0; row < 210; ++row) {
    const auto has_car = [&](const Screen& screen) {
      const auto begin = screen.begin() + static_cast<std::ptrdiff_t>(row * 160);
      return std::find(begin, begin + 160, kCarColour) != begin + 160;
    };
    EXPECT_FALSE(has_car(one) && has_car(other)) << row;
  }
}

TEST(PixelConsoleTest, ALifeIsLostWhenTheBallIs) {
  Played<minatar::Breakout> game;
  EXPECT_EQ(game.console().lives(), 5);
  int frames = 0;
  for (int lives = 4; lives >= 0; --lives) {
    while (game.console().lives() > lives) {
      EXPECT_FALSE(game.console().game_over());
      game.Act(Joystick::kLeft);
      ASSERT_LT(++frames, 100000);
    }
  }
  EXPECT_TRUE(game.console().game_over());
  EXPECT_EQ(game.Act(Joystick::kNoOp), 0);
}

TEST(PixelConsoleTest, FreewayHasNoLivesAndEndsByItsClock) {
  Played<minatar::Freeway> game;
  EXPECT_EQ(game.console().lives(), 0);
  int frames = 0;
  while (!game.console().game_over()) {
    game.Act(Joystick::kUp);
    ASSERT_LE(++frames, 4 * 2501);
  }
  EXPECT_GT(frames, 4 * 2500);
}

TEST(PixelConsoleTest, TheScoreStandsAboveTheField) {
  Played<minatar::Breakout> game;
  const auto status = [&] {
    const Screen screen = game.Show();
    Screen right;
    for (std::size_t row = 0; row < 24; ++row) {
      const auto begin = screen.begin() + static_cast<std::ptrdiff_t>(row * 160);
      right.insert(right.end(), begin + 80, begin + 160);
    }
    return right;
  };
  const Screen at_first = status();
  const int bricks = Count(game.Show(), kBrickColour);
  RandomStream random(5);
  const std::array moves = {Joystick::kNoOp, Joystick::kLeft, Joystick::kRight};
  float points = 0;
  for (int frames = 0; points == 0; ++frames) {
    ASSERT_LT(frames, 100000);
    if (game.console().game_over()) game.Reset();
    points += game.Act(moves[random.Below(moves.size())]);
  }
  EXPECT_NE(status(), at_first);
  EXPECT_LT(Count(game.Show(), kBrickColour), bricks);
}

template <typename Game>
class PixelGamesTest : public testing::Test {};
using Games = testing::Types<minatar::Asterix, minatar::Breakout, minatar::Freeway,
                             minatar::Seaquest, minatar::SpaceInvaders>;
TYPED_TEST_SUITE(PixelGamesTest, Games);

TYPED_TEST(PixelGamesTest, EveryPixelOfTheScreenIsAColourOfThePalette) {
  Played<TypeParam> game;
  RandomStream random(3);
  const auto& actions = game.console().spec().legal_actions;
  for (int i = 0; i < 2000 && !game.console().game_over(); ++i) {
    game.Act(actions[random.Below(actions.size())]);
    const Screen screen = game.Show();
    ASSERT_LT(*std::max_element(screen.begin(), screen.end()), 11);
  }
}

TYPED_TEST(PixelGamesTest, ARestoredConsoleShowsTheSameScreens) {
  Played<TypeParam> game;
  RandomStream random(4);
  const auto& actions = game.console().spec().legal_actions;
  for (int i = 0; i < 333; ++i) game.Act(actions[random.Below(actions.size())]);
  StateWriter writer;
  game.console().SaveState(writer);
  Played<TypeParam> other(9);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(other.console().RestoreState(reader).ok());
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_EQ(other.Show(), game.Show());
}

TYPED_TEST(PixelGamesTest, MinimalActionsAreTheGames) {
  Played<TypeParam> game;
  EXPECT_EQ(game.console().spec().minimal_actions.size(),
            TypeParam().info().minimal_actions.size());
  EXPECT_TRUE(std::is_sorted(game.console().spec().minimal_actions.begin(),
                             game.console().spec().minimal_actions.end()));
}

}  // namespace
}  // namespace gorila
