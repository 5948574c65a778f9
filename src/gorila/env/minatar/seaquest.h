// MinAtar Seaquest: a submarine shoots fish and enemy submarines, rescues divers and must surface
// for oxygen.
#ifndef GORILA_ENV_MINATAR_SEAQUEST_H_
#define GORILA_ENV_MINATAR_SEAQUEST_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gorila/env/minatar/game.h"

namespace gorila::minatar {

// Draws at an enemy's spawn: Uniform (side), Uniform (kind), Integer(1, 9) (row); at a diver's:
// Uniform (side), Integer(1, 9) (row). Reward 1 a hit, and up to 10 for surfacing with six divers.
// Not thread-safe.
class Seaquest final : public Game {
 public:
  // `ramping`: every surfacing makes enemies come and move faster.
  explicit Seaquest(bool ramping = true);

  const GameInfo& info() const override;
  void Observe(std::span<std::uint8_t> cells) const override;

 private:
  struct Bullet {
    std::int32_t x = 0;
    std::int32_t y = 0;
    std::int32_t rightward = 0;
  };
  struct Swimmer {  // a fish, an enemy submarine or a diver
    std::int32_t x = 0;
    std::int32_t y = 0;
    std::int32_t rightward = 0;
    std::int32_t move_countdown = 0;
    std::int32_t shot_countdown = 0;  // of enemy submarines
  };
  using Swimmers = std::vector<Swimmer>;
  using Bullets = std::vector<Bullet>;

  // All but the lists.
  struct State {
    std::int32_t sub_x = 0;
    std::int32_t sub_y = 0;
    std::int32_t rightward = 0;  // the way our submarine faces
    std::int32_t oxygen = 0;
    std::int32_t divers_aboard = 0;  // negative after surfacing with a full load
    std::int32_t surfaced = 0;
    std::int32_t enemy_spawn_interval = 1;
    std::int32_t enemy_spawn_timer = 0;
    std::int32_t diver_spawn_timer = 0;
    std::int32_t move_interval = 2;
    std::int32_t shot_timer = 0;
    std::int32_t ramp_index = 0;
  };

  void Start(DrawSource& draws) override;
  Outcome Play(int action, DrawSource& draws) override;
  void SaveFields(StateWriter& writer) const override;
  Status RestoreFields(StateReader& reader, bool over) override;

  // The numbered parts of a step.
  void SpawnWhenDue(DrawSource& draws);                                  // 1
  void ActSub(int action);                                               // 2
  void MoveFriendlyBullets(Outcome& outcome);                            // 3
  void MoveDivers();                                                     // 4
  void MoveEnemies(Swimmers& enemies, bool shooting, Outcome& outcome);  // 5, 7
  void MoveEnemyBullets(Outcome& outcome);                               // 6
  void CountDownTimers();                                                // 8
  void Breathe(Outcome& outcome);                                        // 8

  void SpawnEnemy(DrawSource& draws);
  void SpawnDiver(DrawSource& draws);
  bool PickUp(const Swimmer& diver);
  bool AdvanceEnemy(Swimmer& enemy, Outcome& outcome);
  bool RowHasOpposite(const Swimmers& enemies, int row, int rightward) const;
  void Surface(Outcome& outcome);
  template <typename Thing>
  bool OnSub(const Thing& thing) const {
    return thing.x == state_.sub_x && thing.y == state_.sub_y;
  }

  const bool ramping_;
  State state_;
  // In order of insertion.
  Bullets friendly_bullets_;
  Bullets enemy_bullets_;
  Swimmers fish_;
  Swimmers enemy_subs_;
  Swimmers divers_;
};

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_SEAQUEST_H_
