#include "gorila/env/minatar/seaquest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "gorila/env/minatar/testing.h"

namespace gorila::minatar {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

enum : int {
  kFront,
  kBack,
  kFriendly,
  kTrail,
  kEnemyBullet,
  kFish,
  kEnemySub,
  kOxygenGauge,
  kDiverGauge,
  kDiver
};

struct Bullet {
  int x = 0;
  int y = 0;
  int rightward = 1;
};
struct Swimmer {
  int x = 0;
  int y = 0;
  int rightward = 1;
  int move_countdown = 5;
  int shot_countdown = 10;
};

struct Scene {
  Cell sub{5, 5};
  int rightward = 0;
  int oxygen = 200;
  int divers_aboard = 0;
  int surfaced = 0;
  int enemy_spawn_interval = 20;
  int enemy_spawn_timer = 20;
  int diver_spawn_timer = 30;
  int move_interval = 5;
  int shot_timer = 0;
  int ramp_index = 0;
  std::vector<Bullet> friendly{};
  std::vector<Bullet> enemy_bullets{};
  std::vector<Swimmer> fish{};
  std::vector<Swimmer> enemy_subs{};
  std::vector<Swimmer> divers{};
};

void Place(Seaquest& game, const Scene& scene) {
  StateWriter writer = RunningState();
  WriteInts(writer,
            {scene.sub.second, scene.sub.first, scene.rightward, scene.oxygen, scene.divers_aboard,
             scene.surfaced, scene.enemy_spawn_interval, scene.enemy_spawn_timer,
             scene.diver_spawn_timer, scene.move_interval, scene.shot_timer, scene.ramp_index});
  for (const auto* list : {&scene.friendly, &scene.enemy_bullets}) {
    writer.WriteSpan(std::span<const Bullet>(*list));
  }
  for (const auto* list : {&scene.fish, &scene.enemy_subs, &scene.divers}) {
    writer.WriteSpan(std::span<const Swimmer>(*list));
  }
  RestoreFrom(game, writer);
}

// The saved fields before the lists, in the order of Place.
std::array<std::int32_t, 12> FieldsOf(const Seaquest& game) {
  StateWriter writer;
  game.SaveState(writer);
  StateReader reader(writer.bytes());
  std::uint8_t over = 0;
  std::array<std::int32_t, 12> fields{};
  EXPECT_TRUE(reader.Read(over).ok() && reader.Read(fields).ok());
  return fields;
}
int DiversAboard(const Seaquest& game) { return FieldsOf(game)[4]; }
int EnemySpawnInterval(const Seaquest& game) { return FieldsOf(game)[6]; }
int MoveInterval(const Seaquest& game) { return FieldsOf(game)[9]; }

TEST(SeaquestTest, ResetShowsTheSubAndAFullTank) {
  Seaquest game;
  FixedDraws none;
  game.Reset(none);
  const View view(game);
  EXPECT_THAT(view.Cells(kFront), ElementsAre(Cell(0, 5)));
  EXPECT_THAT(view.Cells(kBack), ElementsAre(Cell(0, 6)));
  EXPECT_EQ(view.Cells(kOxygenGauge).size(), 10u);
  EXPECT_THAT(view.Cells(kDiverGauge), IsEmpty());
}

TEST(SeaquestTest, SurfacingWithSixDiversPaysForTheOxygenLeft) {
  Seaquest game;
  Place(game, {.sub = {1, 5}, .oxygen = 119, .divers_aboard = 6});
  EXPECT_THAT(View(game).Cells(kDiverGauge),
              ElementsAre(Cell(9, 3), Cell(9, 4), Cell(9, 5), Cell(9, 6), Cell(9, 7), Cell(9, 8)));
  const Outcome outcome = ActWithoutDraws(game, kUp);
  EXPECT_EQ(outcome.reward, 5);  // floor(119 * 10 / 200)
  EXPECT_FALSE(outcome.terminal);
  EXPECT_EQ(View(game).Cells(kOxygenGauge).size(), 10u);
  EXPECT_EQ(DiversAboard(game), -1);
  EXPECT_THAT(View(game).Cells(kDiverGauge), IsEmpty());
  // At the surface nothing more happens.
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 0);
  EXPECT_EQ(DiversAboard(game), -1);
  // A negative count is not 0: surfacing again is allowed.
  ActWithoutDraws(game, kDown);
  EXPECT_FALSE(ActWithoutDraws(game, kUp).terminal);
  EXPECT_EQ(DiversAboard(game), -2);
}

TEST(SeaquestTest, SurfacingWithFewerDiversCostsOne) {
  Seaquest game;
  Place(game, {.sub = {1, 5}, .oxygen = 20, .divers_aboard = 2});
  const Outcome outcome = ActWithoutDraws(game, kUp);
  EXPECT_EQ(outcome.reward, 0);
  EXPECT_FALSE(outcome.terminal);
  EXPECT_EQ(DiversAboard(game), 1);
  EXPECT_THAT(View(game).Cells(kDiverGauge), ElementsAre(Cell(9, 8)));
}

TEST(SeaquestTest, SurfacingWithoutDiversIsTerminal) {
  Seaquest game;
  Place(game, {.sub = {1, 5}, .divers_aboard = 0});
  EXPECT_TRUE(ActWithoutDraws(game, kUp).terminal);
}

TEST(SeaquestTest, OxygenRunsOutBelowTheSurface) {
  Seaquest game;
  Place(game, {.oxygen = 1});
  EXPECT_FALSE(ActWithoutDraws(game, kNoOp).terminal);
  EXPECT_THAT(View(game).Cells(kOxygenGauge), IsEmpty());
  EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal);
}

TEST(SeaquestTest, SurfacingRamps) {
  Seaquest game;
  const auto intervals_after = [&game](int spawn, int move, int index) {
    Place(game, {.sub = {1, 5},
                 .divers_aboard = 2,
                 .enemy_spawn_interval = spawn,
                 .move_interval = move,
                 .ramp_index = index});
    ActWithoutDraws(game, kUp);
    return std::pair(EnemySpawnInterval(game), MoveInterval(game));
  };
  EXPECT_EQ(intervals_after(20, 5, 0), std::pair(19, 5));
  EXPECT_EQ(intervals_after(20, 5, 1), std::pair(19, 4));
  EXPECT_EQ(intervals_after(1, 3, 7), std::pair(1, 2));
  EXPECT_EQ(intervals_after(4, 2, 7), std::pair(3, 2));
  EXPECT_EQ(intervals_after(1, 2, 7), std::pair(1, 2));
  Seaquest calm(/*ramping=*/false);
  Place(calm, {.sub = {1, 5}, .divers_aboard = 2, .ramp_index = 1});
  ActWithoutDraws(calm, kUp);
  EXPECT_EQ(EnemySpawnInterval(calm), 20);
  EXPECT_EQ(MoveInterval(calm), 5);
}

TEST(SeaquestTest, EnemySpawnsAtItsSideUnlessItsRowMovesTheOtherWay) {
  Seaquest game;
  Place(game, {.sub = {0, 5}, .surfaced = 1, .enemy_spawn_timer = 0});
  FixedDraws sub_from_right;
  sub_from_right.U(0.5).U(0.33).I(1, 9, 3);
  game.Act(kNoOp, sub_from_right);
  EXPECT_THAT(View(game).Cells(kEnemySub), ElementsAre(Cell(3, 9)));

  const Scene occupied{.sub = {0, 5},
                       .surfaced = 1,
                       .enemy_spawn_timer = 0,
                       .enemy_subs = {{.x = 4, .y = 3, .rightward = 0}}};
  Place(game, occupied);
  FixedDraws fish_from_left;
  fish_from_left.U(0.4).U(0.34).I(1, 9, 3);
  game.Act(kNoOp, fish_from_left);
  EXPECT_THAT(View(game).Cells(kFish), IsEmpty());

  Place(game, occupied);
  FixedDraws fish_from_right;
  fish_from_right.U(0.6).U(0.34).I(1, 9, 3);
  game.Act(kNoOp, fish_from_right);
  EXPECT_THAT(View(game).Cells(kFish), ElementsAre(Cell(3, 9)));
}

TEST(SeaquestTest, DiverSpawnsEveryThirtySteps) {
  Seaquest game;
  Place(game, {.sub = {0, 5}, .surfaced = 1, .diver_spawn_timer = 0});
  FixedDraws draws;
  draws.U(0.2).I(1, 9, 8);
  game.Act(kNoOp, draws);
  EXPECT_THAT(View(game).Cells(kDiver), ElementsAre(Cell(8, 0)));
  EXPECT_EQ(FieldsOf(game)[8], 29);
}

TEST(SeaquestTest, DiversAreCollectedUpToSix) {
  Seaquest game;
  Scene scene{.divers = {{.x = 5, .y = 5}, {.x = 4, .y = 5, .move_countdown = 0}}};
  Place(game, scene);
  ActWithoutDraws(game, kNoOp);
  EXPECT_EQ(DiversAboard(game), 2);
  EXPECT_THAT(View(game).Cells(kDiver), IsEmpty());

  scene.divers_aboard = 5;
  Place(game, scene);
  ActWithoutDraws(game, kNoOp);
  // The newest came first and filled the last place.
  EXPECT_EQ(DiversAboard(game), 6);
  EXPECT_THAT(View(game).Cells(kDiver), ElementsAre(Cell(5, 5)));
}

TEST(SeaquestTest, BulletKillsTheFirstFishOnItsCellBeforeASub) {
  Seaquest game;
  Place(game, {.sub = {7, 0},
               .friendly = {{.x = 3, .y = 4, .rightward = 1}},
               .fish = {{.x = 4, .y = 4, .rightward = 1}},
               .enemy_subs = {{.x = 4, .y = 4, .rightward = 1}}});
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 1);
  EXPECT_THAT(View(game).Cells(kFish), IsEmpty());
  EXPECT_THAT(View(game).Cells(kEnemySub), ElementsAre(Cell(4, 4)));
  EXPECT_THAT(View(game).Cells(kFriendly), IsEmpty());
}

TEST(SeaquestTest, ShotFliesTheWayTheSubFacesAndCoolsDown) {
  Seaquest game;
  Place(game, {.sub = {5, 5}, .rightward = 1});
  ActWithoutDraws(game, kFire);
  EXPECT_THAT(View(game).Cells(kFriendly), ElementsAre(Cell(5, 6)));
  ActWithoutDraws(game, kFire);
  EXPECT_THAT(View(game).Cells(kFriendly), ElementsAre(Cell(5, 7)));
  ActWithoutDraws(game, kLeft);
  EXPECT_THAT(View(game).Cells(kFront), ElementsAre(Cell(5, 4)));
  EXPECT_THAT(View(game).Cells(kBack), ElementsAre(Cell(5, 5)));
}

TEST(SeaquestTest, EnemySubThatRunsIntoABulletStillShoots) {
  Seaquest game;
  // The bullet moves from 6 to 5 and the enemy from 4 to 5.
  Place(
      game,
      {.sub = {7, 0},
       .friendly = {{.x = 6, .y = 4, .rightward = 0}},
       .enemy_subs = {{.x = 4, .y = 4, .rightward = 1, .move_countdown = 0, .shot_countdown = 0}}});
  EXPECT_EQ(ActWithoutDraws(game, kNoOp).reward, 1);
  EXPECT_THAT(View(game).Cells(kEnemySub), IsEmpty());
  EXPECT_THAT(View(game).Cells(kFriendly), IsEmpty());
  EXPECT_THAT(View(game).Cells(kEnemyBullet), ElementsAre(Cell(4, 6)));
}

TEST(SeaquestTest, EnemySubThatLeavesTheGridShootsNothingThatShows) {
  Seaquest game;
  Place(
      game,
      {.sub = {7, 0},
       .enemy_subs = {{.x = 9, .y = 4, .rightward = 1, .move_countdown = 0, .shot_countdown = 0}}});
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kEnemySub), IsEmpty());
  EXPECT_THAT(View(game).Cells(kEnemyBullet), IsEmpty());
}

TEST(SeaquestTest, EnemyBulletsFlyTheSubsWayAndKill) {
  Seaquest game;
  Place(game,
        {.sub = {5, 5},
         .enemy_bullets = {{.x = 3, .y = 5, .rightward = 1}, {.x = 0, .y = 2, .rightward = 0}}});
  EXPECT_FALSE(ActWithoutDraws(game, kNoOp).terminal);
  EXPECT_THAT(View(game).Cells(kEnemyBullet), ElementsAre(Cell(5, 4)));
  EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal);
}

TEST(SeaquestTest, TouchingAFishOrSubIsTerminal) {
  for (const bool is_fish : {true, false}) {
    Seaquest game;
    Scene scene{.sub = {5, 5}};
    (is_fish ? scene.fish
             : scene.enemy_subs) = {{.x = 6, .y = 5, .rightward = 0, .move_countdown = 0}};
    Place(game, scene);
    EXPECT_TRUE(ActWithoutDraws(game, kNoOp).terminal) << "enemy moves onto the sub";
    (is_fish ? scene.fish : scene.enemy_subs)[0].move_countdown = 3;
    Place(game, scene);
    EXPECT_TRUE(ActWithoutDraws(game, kRight).terminal) << "sub moves onto the enemy";
  }
}

TEST(SeaquestTest, SwimmersMoveEverySixthStepAndLeaveATrail) {
  Seaquest game;
  Place(game, {.sub = {7, 0}, .fish = {{.x = 2, .y = 3, .rightward = 1, .move_countdown = 5}}});
  for (int i = 0; i < 5; ++i) ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kFish), ElementsAre(Cell(3, 2)));
  ActWithoutDraws(game, kNoOp);
  EXPECT_THAT(View(game).Cells(kFish), ElementsAre(Cell(3, 3)));
  EXPECT_THAT(View(game).Cells(kTrail), Contains(Cell(3, 2)));
}

TEST(SeaquestTest, OverlongListIsDataLoss) {
  Seaquest game;
  StateWriter writer = RunningState();
  WriteInts(writer, {5, 5, 0, 200, 0, 0, 20, 20, 30, 5, 0, 0});
  writer.WriteSpan(std::span<const Bullet>(std::vector<Bullet>(200)));
  StateReader reader(writer.bytes());
  EXPECT_EQ(game.RestoreState(reader).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace gorila::minatar
