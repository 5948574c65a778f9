#include "gorila/env/minatar/breakout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/env/minatar/testing.h"

namespace gorila::minatar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

enum : int { kPaddle, kBall, kTrail, kBrick };
enum : int { kUpLeft, kUpRight, kDownRight, kDownLeft };

struct Scene {
  Cell ball{5, 5};
  int direction = kDownRight;
  int paddle = 4;
  bool strike = false;
  std::vector<Cell> bricks{};
};

void Place(Breakout& game, const Scene& scene) {
  BitGrid bricks;
  for (const auto& [y, x] : scene.bricks) bricks.Set(y, x);
  StateWriter writer = RunningState();
  const auto [y, x] = scene.ball;
  WriteInts(writer, {x, y, x, y, scene.direction, scene.paddle, scene.strike ? 1 : 0});
  writer.Write(bricks);
  RestoreFrom(game, writer);
}

TEST(BreakoutTest, ResetPutsTheBallOnTheDrawnSide) {
  for (const int side : {0, 1}) {
    Breakout game;
    FixedDraws draws;
    draws.I(0, 2, side);
    game.Reset(draws);
    const View view(game);
    EXPECT_THAT(view.Cells(kBall), ElementsAre(Cell(3, side == 0 ? 0 : 9)));
    EXPECT_EQ(view.Cells(kTrail), view.Cells(kBall));
    EXPECT_THAT(view.Cells(kPaddle), ElementsAre(Cell(9, 4)));
    EXPECT_EQ(view.Cells(kBrick).size(), 30u);
    ActWithoutDraws(game, kNoOp);
    EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(4, side == 0 ? 1 : 8)));
  }
}

TEST(BreakoutTest, BallRemovesABrickAndBouncesBack) {
  Breakout game;
  Place(game, {.ball = {4, 5}, .direction = kUpRight, .bricks = {{3, 6}, {2, 6}}});
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 1);
  EXPECT_THAT(View(game).Cells(kBrick), ElementsAre(Cell(2, 6)));
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(4, 6)));
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(5, 7)));
}

TEST(BreakoutTest, BallPassesThroughABrickRightAfterAStrike) {
  Breakout game;
  Place(game, {.ball = {4, 5}, .direction = kUpRight, .strike = true, .bricks = {{3, 6}, {2, 7}}});
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 0);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(3, 6)));
  // Still striking: the next brick is passed through too.
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 0);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(2, 7)));
  EXPECT_EQ(View(game).Cells(kBrick).size(), 2u);
}

TEST(BreakoutTest, BallBouncesOffSideWallAndCeiling) {
  Breakout game;
  Place(game, {.ball = {6, 9}, .direction = kUpRight, .bricks = {{1, 0}}});
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(5, 9)));
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(4, 8)));

  Place(game, {.ball = {0, 4}, .direction = kUpLeft, .bricks = {{3, 9}}});
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(0, 3)));
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(1, 2)));
}

TEST(BreakoutTest, PaddleUnderTheBallMirrorsItsDirection) {
  Breakout game;
  Place(game, {.ball = {8, 4}, .direction = kDownRight, .paddle = 4, .bricks = {{1, 1}}});
  EXPECT_FALSE(ActWithoutDraws(game, kNoOp).terminal);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(8, 5)));
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(7, 6)));
}

TEST(BreakoutTest, PaddleWhereTheBallLandsReversesIt) {
  Breakout game;
  Place(game, {.ball = {8, 4}, .direction = kDownRight, .paddle = 4, .bricks = {{1, 1}}});
  EXPECT_FALSE(ActWithoutDraws(game, kRight).terminal);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(8, 5)));
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBall), ElementsAre(Cell(7, 4)));
}

TEST(BreakoutTest, MissedBallIsTerminalAndThenNothingHappens) {
  Breakout game;
  Place(game, {.ball = {8, 4}, .direction = kDownRight, .paddle = 0, .bricks = {{1, 1}}});
  const Outcome outcome = ActWithoutDraws(game, kNoOp);
  EXPECT_TRUE(outcome.terminal);
  EXPECT_EQ(outcome.reward, 0);
  const View last(game);
  EXPECT_THAT(last.Cells(kBall), ElementsAre(Cell(9, 5)));
  EXPECT_TRUE(ActWithoutDraws(game, kRight).terminal);
  EXPECT_EQ(View(game), last);
}

TEST(BreakoutTest, BricksComeBackOnlyWhenTheBallReachesThePaddlesRow) {
  Breakout game;
  Place(game, {.ball = {4, 5}, .direction = kUpRight, .bricks = {{3, 6}}});
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 1);
  EXPECT_THAT(View(game).Cells(kBrick), IsEmpty());

  Place(game, {.ball = {7, 3}, .direction = kDownRight, .paddle = 4});
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kBrick), IsEmpty());
  EXPECT_FALSE(ActWithoutDraws(game, kNoOp).terminal);
  EXPECT_EQ(View(game).Cells(kBrick).size(), 30u);
}

TEST(BreakoutTest, PaddleStopsAtTheEdges) {
  Breakout game;
  Place(game, {.paddle = 0, .bricks = {{1, 1}}});
  ActWithoutDraws(game, kLeft);
  EXPECT_THAT(View(game).Cells(kPaddle), ElementsAre(Cell(9, 0)));
  Place(game, {.paddle = 9, .bricks = {{1, 1}}});
  ActWithoutDraws(game, kRight);
  EXPECT_THAT(View(game).Cells(kPaddle), ElementsAre(Cell(9, 9)));
}

TEST(BreakoutTest, ImpossibleStateIsDataLossAndChangesNothing) {
  Breakout game;
  Place(game, {.ball = {4, 5}, .bricks = {{3, 6}}});
  const View before(game);
  StateWriter writer = RunningState();
  WriteInts(writer, {10, 4, 5, 4, 0, 4, 0});
  writer.Write(BitGrid{});
  StateReader reader(writer.bytes());
  const Status status = game.RestoreState(reader);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("'ball_x' is 10"));
  EXPECT_EQ(View(game), before);
}

}  // namespace
}  // namespace gorila::minatar
