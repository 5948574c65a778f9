#include "gorila/env/minatar/space_invaders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/env/minatar/testing.h"

namespace gorila::minatar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

enum : int { kCannon, kAlien, kAlienLeft, kAlienRight, kFriendly, kEnemy };

BitGrid GridOf(const std::vector<Cell>& cells) {
  BitGrid grid;
  for (const auto& [y, x] : cells) grid.Set(y, x);
  return grid;
}

struct Scene {
  int cannon = 5;
  int rightward = 0;
  int move_interval = 12;
  int move_timer = 12;
  int alien_shot_timer = 10;
  int shot_timer = 0;
  std::vector<Cell> aliens{{0, 0}};
  std::vector<Cell> friendly{};
  std::vector<Cell> enemy{};
};

void Place(SpaceInvaders& game, const Scene& scene) {
  StateWriter writer = RunningState();
  WriteInts(writer, {scene.cannon, scene.rightward, scene.move_interval, scene.move_timer,
                     scene.alien_shot_timer, scene.shot_timer});
  for (const auto* cells : {&scene.aliens, &scene.friendly, &scene.enemy}) {
    writer.Write(GridOf(*cells));
  }
  RestoreFrom(game, writer);
}

int MoveInterval(const SpaceInvaders& game) {
  StateWriter writer;
  game.SaveState(writer);
  StateReader reader(writer.bytes());
  std::uint8_t over = 0;
  std::array<std::int32_t, 6> fields{};
  EXPECT_TRUE(reader.Read(over).ok() && reader.Read(fields).ok());
  return fields[2];
}

TEST(SpaceInvadersTest, ResetFillsTheBlockAndDrawsNothing) {
  SpaceInvaders game;
  FixedDraws none;
  game.Reset(none);
  const View view(game);
  EXPECT_THAT(view.Cells(kCannon), ElementsAre(Cell(9, 5)));
  EXPECT_EQ(view.Cells(kAlien).size(), 24u);
  EXPECT_EQ(view.Cells(kAlien).front(), Cell(0, 2));
  EXPECT_EQ(view.Cells(kAlien).back(), Cell(3, 7));
  EXPECT_EQ(view.Cells(kAlienLeft), view.Cells(kAlien));
  EXPECT_THAT(view.Cells(kAlienRight), IsEmpty());
}

TEST(SpaceInvadersTest, AFewAliensMoveMoreOften) {
  SpaceInvaders game;
  Place(game, {.move_timer = 0, .aliens = {{0, 5}, {0, 6}, {0, 7}}});
  std::vector<int> columns;
  for (int i = 0; i < 7; ++i) {
    ActWithoutDraws(game, kNoOp);
    columns.push_back(View(game).Cells(kAlien).front().second);
  }
  EXPECT_THAT(columns, ElementsAre(4, 4, 4, 3, 3, 3, 2));
}

TEST(SpaceInvadersTest, ManyAliensMoveAtTheInterval) {
  SpaceInvaders game;
  FixedDraws none;
  game.Reset(none);
  for (int i = 0; i < 12; ++i) ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(View(game).Cells(kAlien).front(), Cell(0, 2));
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(View(game).Cells(kAlien).front(), Cell(0, 1));
}

TEST(SpaceInvadersTest, AliensTurnAndComeDownAtTheEdge) {
  SpaceInvaders game;
  Place(game, {.move_timer = 0, .aliens = {{2, 0}, {3, 4}}});
  EXPECT_FALSE(ActWithoutDraws(game, kNoOp).terminal);
  EXPECT_THAT(View(game).Cells(kAlienRight), ElementsAre(Cell(3, 0), Cell(4, 4)));
  EXPECT_THAT(View(game).Cells(kAlienLeft), IsEmpty());

  Place(game, {.rightward = 1, .move_timer = 0, .aliens = {{2, 9}}});
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kAlienLeft), ElementsAre(Cell(3, 9)));
}

TEST(SpaceInvadersTest, AliensOnTheLowestRowThatComeDownAreTerminal) {
  SpaceInvaders game;
  Place(game, {.move_timer = 0, .aliens = {{9, 0}, {1, 3}}});
  EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal);
  EXPECT_THAT(View(game).Cells(kAlien), ElementsAre(Cell(0, 0), Cell(2, 3)));
}

TEST(SpaceInvadersTest, AlienOnTheCannonIsTerminal) {
  SpaceInvaders game;
  Place(game, {.cannon = 5, .move_timer = 0, .aliens = {{9, 6}}});
  EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal);
  Place(game, {.cannon = 5, .move_timer = 4, .aliens = {{9, 6}}});
  EXPECT_TRUE(ActWithoutDraws(game, kRight).terminal);
}

TEST(SpaceInvadersTest, NearestColumnShootsAndTheLowerOfTwo) {
  SpaceInvaders game;
  Place(game, {.cannon = 5, .alien_shot_timer = 0, .aliens = {{0, 3}, {1, 3}, {2, 7}, {3, 9}}});
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kEnemy), ElementsAre(Cell(1, 3)));
  Place(game, {.cannon = 6, .alien_shot_timer = 0, .aliens = {{0, 3}, {1, 3}, {2, 7}, {3, 9}}});
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kEnemy), ElementsAre(Cell(2, 7)));
}

TEST(SpaceInvadersTest, EnemyBulletOnTheCannonIsTerminalAndOthersLeave) {
  SpaceInvaders game;
  Place(game, {.cannon = 5, .enemy = {{8, 4}, {9, 2}}});
  EXPECT_FALSE(ActWithoutDraws(game, kNoOp).terminal);
  EXPECT_THAT(View(game).Cells(kEnemy), ElementsAre(Cell(9, 4)));
  Place(game, {.cannon = 5, .enemy = {{8, 5}}});
  EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal);
}

TEST(SpaceInvadersTest, ShotsComeAtMostEveryFifthStepAndFlyUp) {
  SpaceInvaders game;
  Place(game, {.cannon = 5});
  for (int i = 0; i < 6; ++i) ActWithoutDraws(game, kFire);
  EXPECT_THAT(View(game).Cells(kFriendly), ElementsAre(Cell(3, 5), Cell(8, 5)));
}

TEST(SpaceInvadersTest, HitAliensGiveARewardEach) {
  SpaceInvaders game;
  Place(game, {.aliens = {{1, 4}, {2, 6}, {0, 0}}, .friendly = {{2, 4}, {3, 6}, {5, 1}}});
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 2);
  EXPECT_THAT(View(game).Cells(kAlien), ElementsAre(Cell(0, 0)));
  EXPECT_THAT(View(game).Cells(kFriendly), ElementsAre(Cell(4, 1)));
}

TEST(SpaceInvadersTest, ClearedBlockComesBackFasterWithRamping) {
  for (const bool ramping : {true, false}) {
    SpaceInvaders game(ramping);
    Place(game, {.move_interval = 9, .aliens = {{1, 4}}, .friendly = {{2, 4}}});
    EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 1);
    EXPECT_EQ(View(game).Cells(kAlien).size(), 24u);
    EXPECT_EQ(MoveInterval(game), ramping ? 8 : 9);
  }
}

TEST(SpaceInvadersTest, MoveIntervalNeverFallsBelowSix) {
  SpaceInvaders game;
  Place(game, {.move_interval = 6, .aliens = {{1, 4}}, .friendly = {{2, 4}}});
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(MoveInterval(game), 6);
}

}  // namespace
}  // namespace gorila::minatar
