// MinAtar Space Invaders: a cannon against a block of aliens that comes down.
#ifndef GORILA_ENV_MINATAR_SPACE_INVADERS_H_
#define GORILA_ENV_MINATAR_SPACE_INVADERS_H_

#include <cstdint>
#include <span>

#include "gorila/env/minatar/bit_grid.h"
#include "gorila/env/minatar/game.h"

namespace gorila::minatar {

// Draws nothing: the game is deterministic. Reward 1 an alien. Not thread-safe.
class SpaceInvaders final : public Game {
 public:
  // `ramping`: every new block of aliens moves faster.
  explicit SpaceInvaders(bool ramping = true) : ramping_(ramping) {}

  const GameInfo& info() const override;
  void Observe(std::span<std::uint8_t> cells) const override;

 private:
  struct State {
    std::int32_t cannon_x = 0;   // on row 9
    std::int32_t rightward = 0;  // the aliens' direction
    std::int32_t move_interval = 12;
    std::int32_t move_timer = 0;
    std::int32_t alien_shot_timer = 0;
    std::int32_t shot_timer = 0;
    BitGrid aliens;
    BitGrid friendly_bullets;
    BitGrid enemy_bullets;
  };

  void Start(DrawSource& draws) override;
  Outcome Play(int action, DrawSource& draws) override;
  void SaveFields(StateWriter& writer) const override;
  Status RestoreFields(StateReader& reader, bool over) override;

  bool AlienOnCannon() const;
  void ActCannon(int action);
  void MoveBullets(Outcome& outcome);
  void MoveAliens(Outcome& outcome);
  void ShootFromNearestColumn();
  int RemoveHitAliens();
  void StartNextBlock();

  const bool ramping_;
  State state_;
};

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_SPACE_INVADERS_H_
