#include "gorila/env/minatar/freeway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "gorila/env/minatar/testing.h"

namespace gorila::minatar {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Pair;

enum : int { kChicken, kCar, kTrail1, kTrail2, kTrail3, kTrail4, kTrail5 };

struct Car {
  int x = 0;
  int countdown = 5;
  int period = 5;
  int rightward = 1;
};

struct Scene {
  int chicken = 9;
  int move_timer = 0;
  int time_left = 1000;
  std::array<Car, 8> cars{};  // car k is on row k + 1
};

void Place(Freeway& game, const Scene& scene) {
  StateWriter writer = RunningState();
  WriteInts(writer, {scene.chicken, scene.move_timer, scene.time_left});
  for (const Car& car : scene.cars) {
    WriteInts(writer, {car.x, car.countdown, car.period, car.rightward});
  }
  RestoreFrom(game, writer);
}

int ChickenRow(const Freeway& game) { return View(game).Cells(kChicken).at(0).first; }

void DrawPeriodsAndSides(FixedDraws& draws, int period, double side) {
  for (int i = 0; i < 8; ++i) draws.I(1, 6, period);
  for (int i = 0; i < 8; ++i) draws.U(side);
}

TEST(FreewayTest, ResetDrawsPeriodsThenDirections) {
  Freeway game;
  FixedDraws draws;
  for (const int period : {1, 2, 3, 4, 5, 1, 2, 3}) draws.I(1, 6, period);
  for (const double u : {0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6}) draws.U(u);
  game.Reset(draws);
  const View view(game);
  EXPECT_THAT(view.Cells(kChicken), ElementsAre(Cell(9, 4)));
  EXPECT_EQ(view.Cells(kCar).size(), 8u);
  EXPECT_THAT(view.Cells(kCar), Each(Pair(testing::_, 0)));
  // A trail lies behind its car, round the edge for cars that drive right.
  EXPECT_THAT(view.Cells(kTrail1), ElementsAre(Cell(1, 1), Cell(6, 9)));
  EXPECT_THAT(view.Cells(kTrail2), ElementsAre(Cell(2, 9), Cell(7, 1)));
  EXPECT_THAT(view.Cells(kTrail3), ElementsAre(Cell(3, 1), Cell(8, 9)));
  EXPECT_THAT(view.Cells(kTrail4), ElementsAre(Cell(4, 9)));
  EXPECT_THAT(view.Cells(kTrail5), ElementsAre(Cell(5, 1)));
}

TEST(FreewayTest, ChickenMovesEveryThirdStep) {
  Freeway game;
  Place(game, {.chicken = 9, .move_timer = 0});
  std::vector<int> rows;
  for (int i = 0; i < 7; ++i) {
    ActWithoutDraws(game, kUp);
    rows.push_back(ChickenRow(game));
  }
  EXPECT_THAT(rows, ElementsAre(8, 8, 8, 7, 7, 7, 6));
}

TEST(FreewayTest, ChickenStaysOnTheGridAndIgnoresSidewaysActions) {
  Freeway game;
  Place(game, {.chicken = 9, .move_timer = 0});
  ActWithoutDraws(game, kLeft);
  EXPECT_EQ(ChickenRow(game), 9);
  ActWithoutDraws(game, kDown);
  EXPECT_EQ(ChickenRow(game), 9);
  // The vain move used the timer up.
  ActWithoutDraws(game, kUp);
  EXPECT_EQ(ChickenRow(game), 9);
}

TEST(FreewayTest, CrossingGivesARewardAndNewSpeedsAtTheOldPlaces) {
  Freeway game;
  Scene scene{.chicken = 1, .move_timer = 0};
  for (Car& car : scene.cars) car.x = 7;
  Place(game, scene);
  FixedDraws draws;
  DrawPeriodsAndSides(draws, 2, 0.2);
  const Outcome outcome = game.Act(kUp, draws);
  EXPECT_EQ(outcome.reward, 1);
  EXPECT_FALSE(outcome.terminal);
  EXPECT_EQ(ChickenRow(game), 9);
  EXPECT_THAT(View(game).Cells(kCar), Each(Pair(testing::_, 7)));
  EXPECT_EQ(View(game).Cells(kTrail2).size(), 8u);
}

TEST(FreewayTest, CarOnTheChickenSendsItBack) {
  Freeway game;
  Scene walks_into{.chicken = 4, .move_timer = 0};
  walks_into.cars[2].x = 4;  // row 3
  Place(game, walks_into);
  EXPECT_EQ(ActWithoutDraws(game, kUp).reward, 0);
  EXPECT_EQ(ChickenRow(game), 9);

  Scene runs_over{.chicken = 3, .move_timer = 3};
  runs_over.cars[2] = {.x = 5, .countdown = 0, .period = 1, .rightward = 0};
  Place(game, runs_over);
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(ChickenRow(game), 9);
}

TEST(FreewayTest, CarsMoveWhenTheirCountdownIsZeroAndWrap) {
  Freeway game;
  Scene scene;
  scene.cars[0] = {.x = 9, .countdown = 0, .period = 2, .rightward = 1};
  scene.cars[1] = {.x = 0, .countdown = 0, .period = 1, .rightward = 0};
  Place(game, scene);
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kCar), Contains(Cell(1, 0)));
  EXPECT_THAT(View(game).Cells(kCar), Contains(Cell(2, 9)));
  // Period 2: the countdown goes 2, 1, 0, so a cell every three steps.
  ActWithoutDraws(game, kNoOp);
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kCar), Contains(Cell(1, 0)));
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kCar), Contains(Cell(1, 1)));
}

TEST(FreewayTest, EpisodeEndsWithStep2501) {
  Freeway game;
  FixedDraws draws;
  DrawPeriodsAndSides(draws, 3, 0.7);
  game.Reset(draws);
  for (int i = 1; i <= 2500; ++i) ASSERT_FALSE(ActWithoutDraws(game, kNoOp).terminal) << i;
  EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal);
}

}  // namespace
}  // namespace gorila::minatar
