// MinAtar Asterix: collect gold, avoid enemies, which cross the screen row by row.
#ifndef GORILA_ENV_MINATAR_ASTERIX_H_
#define GORILA_ENV_MINATAR_ASTERIX_H_

#include <array>
#include <cstdint>
#include <span>

#include "gorila/env/minatar/game.h"

namespace gorila::minatar {

// Draws at a spawn: Uniform (side), Uniform (kind), and unless all rows are taken Integer(0, empty
// rows). Reward 1 a piece of gold. Not thread-safe.
class Asterix final : public Game {
 public:
  // `ramping`: spawning and moving get faster every 100 steps.
  explicit Asterix(bool ramping = true) : ramping_(ramping) {}

  const GameInfo& info() const override;
  void Observe(std::span<std::uint8_t> cells) const override;

 private:
  static constexpr int kSlots = 8;  // slot k is row k + 1

  struct Entity {
    std::int32_t present = 0;
    std::int32_t x = 0;
    std::int32_t rightward = 0;
    std::int32_t gold = 0;
  };
  struct State {
    std::int32_t player_x = 0;
    std::int32_t player_y = 1;
    std::int32_t spawn_interval = 1;
    std::int32_t spawn_timer = 0;
    std::int32_t move_interval = 1;
    std::int32_t move_timer = 0;
    std::int32_t ramp_timer = 0;
    std::int32_t ramp_index = 0;
    std::array<Entity, kSlots> slots{};
  };

  void Start(DrawSource& draws) override;
  Outcome Play(int action, DrawSource& draws) override;
  void SaveFields(StateWriter& writer) const override;
  Status RestoreFields(StateReader& reader, bool over) override;

  void Spawn(DrawSource& draws);
  void MovePlayer(int action);
  void Touch(std::size_t slot, Outcome& outcome);
  void MoveEntities(Outcome& outcome);
  void Ramp();

  const bool ramping_;
  State state_;
};

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_ASTERIX_H_
