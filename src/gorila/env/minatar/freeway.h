// MinAtar Freeway: a chicken crosses eight lanes of cars.
#ifndef GORILA_ENV_MINATAR_FREEWAY_H_
#define GORILA_ENV_MINATAR_FREEWAY_H_

#include <array>
#include <cstdint>
#include <span>

#include "gorila/env/minatar/game.h"

namespace gorila::minatar {

// Draws at Reset and after every crossing: eight Integer(1, 6) (periods), then eight Uniform
// (directions). Reward 1 a crossing. Terminal after 2501 steps. Not thread-safe.
class Freeway final : public Game {
 public:
  const GameInfo& info() const override;
  void Observe(std::span<std::uint8_t> cells) const override;

 private:
  static constexpr int kCars = 8;  // car k is on row k + 1

  struct Car {
    std::int32_t x = 0;
    std::int32_t countdown = 0;
    std::int32_t period = 1;  // moves a cell every period + 1 steps; 1..5
    std::int32_t rightward = 0;
  };
  struct State {
    std::int32_t chicken_y = kGridSize - 1;
    std::int32_t move_timer = 0;
    std::int32_t time_left = 0;
    std::array<Car, kCars> cars{};
  };

  void Start(DrawSource& draws) override;
  Outcome Play(int action, DrawSource& draws) override;
  void SaveFields(StateWriter& writer) const override;
  Status RestoreFields(StateReader& reader, bool over) override;

  void RandomiseCars(DrawSource& draws);
  void MoveChicken(int action);
  void MoveCars();

  State state_;
};

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_FREEWAY_H_
