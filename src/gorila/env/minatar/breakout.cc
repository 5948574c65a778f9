#include "gorila/env/minatar/breakout.h"

#include <array>
#include <type_traits>

#include "gorila/env/state_fields.h"

namespace gorila::minatar {
namespace {

constexpr int kPaddleRow = 9;
constexpr int kFirstBrickRow = 1;
constexpr int kLastBrickRow = 3;

// Indexed by direction: 0 up-left, 1 up-right, 2 down-right, 3 down-left.
constexpr std::array<int, 4> kStepX{-1, 1, 1, -1};
constexpr std::array<int, 4> kStepY{-1, -1, 1, 1};
constexpr std::array<std::int32_t, 4> kMirroredHorizontally{1, 0, 3, 2};
constexpr std::array<std::int32_t, 4> kMirroredVertically{3, 2, 1, 0};
constexpr std::array<std::int32_t, 4> kReversed{2, 3, 0, 1};

std::int32_t Turned(const std::array<std::int32_t, 4>& table, std::int32_t direction) {
  return table[static_cast<std::size_t>(direction)];
}

enum BreakoutChannel : int { kPaddle, kBall, kTrail, kBrick };
constexpr std::array<Channel, 4> kChannels{{{"paddle", colour::kSkyBlue},
                                            {"ball", colour::kWhite},
                                            {"trail", colour::kDim},
                                            {"brick", colour::kOrange}}};
constexpr std::array<Action, 3> kMinimalActions{kNoOp, kLeft, kRight};

}  // namespace

const GameInfo& Breakout::info() const {
  static constexpr GameInfo kInfo{"breakout", kChannels, kMinimalActions};
  return kInfo;
}

void Breakout::Start(DrawSource& draws) {
  const bool from_right = draws.Integer(0, 2) == 1;
  state_ = State{};
  state_.ball_x = from_right ? kGridSize - 1 : 0;
  state_.direction = from_right ? 3 : 2;
  state_.ball_y = 3;
  state_.last_x = state_.ball_x;
  state_.last_y = state_.ball_y;
  state_.paddle_x = 4;
  RefillBricks();
}

void Breakout::RefillBricks() {
  state_.bricks.Fill(kFirstBrickRow, kLastBrickRow, 0, kGridSize - 1);
}

Outcome Breakout::Play(int action, DrawSource&) {
  state_.paddle_x = MoveSideways(state_.paddle_x, action);
  state_.last_x = state_.ball_x;
  state_.last_y = state_.ball_y;
  int x = state_.ball_x + kStepX[static_cast<std::size_t>(state_.direction)];
  int y = state_.ball_y + kStepY[static_cast<std::size_t>(state_.direction)];
  if (!OnGrid(x)) {
    x = state_.ball_x;
    state_.direction = Turned(kMirroredHorizontally, state_.direction);
  }

  Outcome outcome;
  bool struck = false;
  if (y < 0) {
    y = 0;
    state_.direction = Turned(kMirroredVertically, state_.direction);
  } else if (state_.bricks.Has(y, x)) {
    struck = true;
    if (state_.strike == 0) {
      outcome.reward = 1;
      state_.bricks.Clear(y, x);
      y = state_.last_y;
      state_.direction = Turned(kMirroredVertically, state_.direction);
    }
  } else if (y == kPaddleRow) {
    outcome = BounceOffPaddle(x, y);
  }
  state_.strike = struck ? 1 : 0;
  state_.ball_x = x;
  state_.ball_y = y;
  return outcome;
}

// The ball is about to reach (`y` = paddle row, `x`).
Outcome Breakout::BounceOffPaddle(int x, int& y) {
  if (state_.bricks.Count() == 0) RefillBricks();
  if (state_.ball_x == state_.paddle_x) {
    state_.direction = Turned(kMirroredVertically, state_.direction);
  } else if (x == state_.paddle_x) {
    state_.direction = Turned(kReversed, state_.direction);
  } else {
    return {.reward = 0, .terminal = true};
  }
  y = state_.last_y;
  return {};
}

void Breakout::Observe(std::span<std::uint8_t> cells) const {
  Planes planes(cells, kChannels.size());
  planes.Set(kPaddle, kPaddleRow, state_.paddle_x);
  planes.Set(kBall, state_.ball_y, state_.ball_x);
  planes.Set(kTrail, state_.last_y, state_.last_x);
  state_.bricks.WriteTo(planes, kBrick);
}

void Breakout::SaveFields(StateWriter& writer) const {
  static_assert(std::has_unique_object_representations_v<State>);
  writer.Write(state_);
}

Status Breakout::RestoreFields(StateReader& reader, bool over) {
  State state;
  GORILA_RETURN_IF_ERROR(reader.Read(state));
  // A ball on the paddle's row has been missed.
  const int lowest_row = over ? kPaddleRow : kPaddleRow - 1;
  GORILA_RETURN_IF_ERROR(CheckFields({
      {"ball_x", state.ball_x, 0, kGridSize - 1},
      {"ball_y", state.ball_y, 0, lowest_row},
      {"last_x", state.last_x, 0, kGridSize - 1},
      {"last_y", state.last_y, 0, kPaddleRow - 1},
      {"direction", state.direction, 0, 3},
      {"paddle_x", state.paddle_x, 0, kGridSize - 1},
      {"strike", state.strike, 0, 1},
      {"bricks", state.bricks.Columns(), 0, BitGrid::kFullRow},
  }));
  state_ = state;
  return OkStatus();
}

}  // namespace gorila::minatar
