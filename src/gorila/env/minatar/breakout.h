// MinAtar Breakout: a ball, a paddle and three rows of bricks.
#ifndef GORILA_ENV_MINATAR_BREAKOUT_H_
#define GORILA_ENV_MINATAR_BREAKOUT_H_

#include <cstdint>
#include <span>

#include "gorila/env/minatar/bit_grid.h"
#include "gorila/env/minatar/game.h"

namespace gorila::minatar {

// Draws: Integer(0, 2) at Reset, the ball's side. Reward 1 a brick. Not thread-safe.
class Breakout final : public Game {
 public:
  const GameInfo& info() const override;
  void Observe(std::span<std::uint8_t> cells) const override;

 private:
  struct State {
    std::int32_t ball_x = 0;
    std::int32_t ball_y = 0;
    std::int32_t last_x = 0;  // the ball one step ago
    std::int32_t last_y = 0;
    std::int32_t direction = 0;  // 0 up-left, 1 up-right, 2 down-right, 3 down-left
    std::int32_t paddle_x = 0;   // on row 9
    std::int32_t strike = 0;     // 1: the last step hit a brick; the next brick is passed through
    BitGrid bricks;
  };

  void Start(DrawSource& draws) override;
  Outcome Play(int action, DrawSource& draws) override;
  void SaveFields(StateWriter& writer) const override;
  Status RestoreFields(StateReader& reader, bool over) override;

  void RefillBricks();
  Outcome BounceOffPaddle(int x, int& y);

  State state_;
};

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_BREAKOUT_H_
