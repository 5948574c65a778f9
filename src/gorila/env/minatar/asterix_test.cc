#include "gorila/env/minatar/asterix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "gorila/env/minatar/testing.h"

namespace gorila::minatar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

enum : int { kPlayer, kEnemy, kTrail, kGold };

struct Entity {
  int present = 0;
  int x = 0;
  int rightward = 0;
  int gold = 0;
};

struct Scene {
  Cell player{5, 5};
  int spawn_interval = 10;
  int spawn_timer = 10;
  int move_interval = 5;
  int move_timer = 5;
  int ramp_timer = 100;
  int ramp_index = 0;
  std::array<Entity, 8> slots{};  // slot k is row k + 1
};

void Place(Asterix& game, const Scene& scene) {
  StateWriter writer = RunningState();
  WriteInts(writer,
            {scene.player.second, scene.player.first, scene.spawn_interval, scene.spawn_timer,
             scene.move_interval, scene.move_timer, scene.ramp_timer, scene.ramp_index});
  for (const Entity& entity : scene.slots) {
    WriteInts(writer, {entity.present, entity.x, entity.rightward, entity.gold});
  }
  RestoreFrom(game, writer);
}

struct Intervals {
  int spawn = 0;
  int move = 0;
  bool operator==(const Intervals&) const = default;
};

Intervals IntervalsOf(const Asterix& game) {
  StateWriter writer;
  game.SaveState(writer);
  StateReader reader(writer.bytes());
  std::uint8_t over = 0;
  std::array<std::int32_t, 8> fields{};
  EXPECT_TRUE(reader.Read(over).ok() && reader.Read(fields).ok());
  return {.spawn = fields[2], .move = fields[4]};
}

TEST(AsterixTest, FirstSpawnComesInTheEleventhStep) {
  Asterix game;
  FixedDraws none;
  game.Reset(none);
  for (int i = 0; i < 10; ++i) ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kEnemy), IsEmpty());
  FixedDraws draws;
  draws.U(0.49).U(0.34).I(0, 8, 2);
  game.Act(kNoOp, draws);
  // The move timer is 0 in the same step: the newcomer moves at once.
  EXPECT_THAT(View(game).Cells(kEnemy), ElementsAre(Cell(3, 1)));
  EXPECT_THAT(View(game).Cells(kTrail), ElementsAre(Cell(3, 0)));
}

TEST(AsterixTest, SpawnCountsOnlyEmptyRowsAndStartsAtItsSide) {
  Asterix game;
  Scene scene{.spawn_timer = 0};
  scene.slots[0] = {.present = 1, .x = 4, .rightward = 1};
  scene.slots[2] = {.present = 1, .x = 4, .rightward = 1};
  Place(game, scene);
  FixedDraws draws;
  draws.U(0.5).U(0.33).I(0, 6, 1);  // from the right, gold, the second empty row: row 4
  game.Act(kNoOp, draws);
  EXPECT_THAT(View(game).Cells(kGold), ElementsAre(Cell(4, 9)));
  EXPECT_THAT(View(game).Cells(kTrail), ElementsAre(Cell(1, 3), Cell(3, 3)));
}

TEST(AsterixTest, SpawnWithAllRowsTakenDrawsTwiceAndDoesNothing) {
  Asterix game;
  Scene scene{.spawn_timer = 0};
  scene.slots.fill({.present = 1, .x = 0, .rightward = 1});
  Place(game, scene);
  const View before(game);
  FixedDraws draws;
  draws.U(0.1).U(0.1);
  EXPECT_FALSE(game.Act(kNoOp, draws).terminal);
  EXPECT_EQ(View(game), before);
}

TEST(AsterixTest, GoldGivesARewardAndGoes) {
  Asterix game;
  Scene scene;
  scene.slots[4] = {.present = 1, .x = 6, .rightward = 0, .gold = 1};
  Place(game, scene);
  const Outcome outcome = ActWithoutDraws(game, kRight);
  EXPECT_EQ(outcome.reward, 1);
  EXPECT_FALSE(outcome.terminal);
  EXPECT_THAT(View(game).Cells(kGold), IsEmpty());
}

TEST(AsterixTest, WalkingIntoAnEnemyIsTerminal) {
  Asterix game;
  Scene scene;
  scene.slots[3] = {.present = 1, .x = 5, .rightward = 0};
  Place(game, scene);
  EXPECT_TRUE(ActWithoutDraws(game, kUp).terminal);
}

TEST(AsterixTest, EntitiesMoveOntoThePlayerToo) {
  Asterix game;
  Scene scene{.move_timer = 0};
  scene.slots[4] = {.present = 1, .x = 4, .rightward = 1, .gold = 1};
  Place(game, scene);
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 1);
  scene.slots[4].gold = 0;
  Place(game, scene);
  EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal);
}

TEST(AsterixTest, EntitiesThatLeaveTheGridAreRemoved) {
  Asterix game;
  Scene scene{.move_timer = 0};
  scene.slots[0] = {.present = 1, .x = 9, .rightward = 1};
  scene.slots[7] = {.present = 1, .x = 0, .rightward = 0, .gold = 1};
  Place(game, scene);
  ActWithoutDraws(game, kNoOp);
  const View view(game);
  EXPECT_THAT(view.Cells(kEnemy), IsEmpty());
  EXPECT_THAT(view.Cells(kGold), IsEmpty());
  EXPECT_THAT(view.Cells(kTrail), IsEmpty());
}

TEST(AsterixTest, PlayerStaysWithinRowsOneToEight) {
  Asterix game;
  Place(game, {.player = {1, 0}});
  ActWithoutDraws(game, kUp);
  ActWithoutDraws(game, kLeft);
  EXPECT_THAT(View(game).Cells(kPlayer), ElementsAre(Cell(1, 0)));
  Place(game, {.player = {8, 9}});
  ActWithoutDraws(game, kDown);
  ActWithoutDraws(game, kRight);
  EXPECT_THAT(View(game).Cells(kPlayer), ElementsAre(Cell(8, 9)));
}

TEST(AsterixTest, RampShortensTheMoveIntervalEverySecondTime) {
  Asterix game;
  Place(game, {.ramp_timer = -1, .ramp_index = 0});
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(IntervalsOf(game), (Intervals{.spawn = 9, .move = 5}));
  Place(game, {.ramp_timer = -1, .ramp_index = 1});
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(IntervalsOf(game), (Intervals{.spawn = 9, .move = 4}));
  Place(game, {.ramp_timer = 0, .ramp_index = 1});
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(IntervalsOf(game), (Intervals{.spawn = 10, .move = 5}));
}

TEST(AsterixTest, RampStopsAtIntervalsOfOne) {
  Asterix game;
  Place(game, {.spawn_interval = 1, .move_interval = 1, .ramp_timer = -1, .ramp_index = 9});
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(IntervalsOf(game), (Intervals{.spawn = 1, .move = 1}));
  Place(game, {.spawn_interval = 1, .move_interval = 2, .ramp_timer = -1, .ramp_index = 9});
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(IntervalsOf(game), (Intervals{.spawn = 1, .move = 1}));
}

TEST(AsterixTest, WithoutRampingTheIntervalsStay) {
  Asterix game(/*ramping=*/false);
  Place(game, {.ramp_timer = -1, .ramp_index = 1});
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(IntervalsOf(game), (Intervals{.spawn = 10, .move = 5}));
}

}  // namespace
}  // namespace gorila::minatar
