#include "gorila/env/minatar/freeway.h"

#include <algorithm>
#include <type_traits>

#include "gorila/env/state_fields.h"

namespace gorila::minatar {
namespace {

constexpr int kChickenColumn = 4;
constexpr int kStartRow = 9;
constexpr int kMoveInterval = 3;  // steps
constexpr int kTimeLimit = 2500;  // steps
constexpr int kMaxPeriod = 5;

enum FreewayChannel : int { kChicken, kCar, kFirstTrail };
// The darker a trail, the slower its car (a larger period).
constexpr std::array<Channel, 7> kChannels{{{"chicken", colour::kYellow},
                                            {"car", colour::kVermillion},
                                            {"trail of period 1", colour::kWhite},
                                            {"trail of period 2", colour::kSkyBlue},
                                            {"trail of period 3", colour::kGrey},
                                            {"trail of period 4", colour::kBlue},
                                            {"trail of period 5", colour::kDim}}};
constexpr std::array<Action, 3> kMinimalActions{kNoOp, kUp, kDown};

int Wrapped(int x) { return (x + kGridSize) % kGridSize; }
int RowOf(std::size_t car) { return static_cast<int>(car) + 1; }

}  // namespace

const GameInfo& Freeway::info() const {
  static constexpr GameInfo kInfo{"freeway", kChannels, kMinimalActions};
  return kInfo;
}

void Freeway::Start(DrawSource& draws) {
  state_ = State{};
  RandomiseCars(draws);
  state_.chicken_y = kStartRow;
  state_.move_timer = kMoveInterval;
  state_.time_left = kTimeLimit;
}

// New periods and directions; the cars stay where they are.
void Freeway::RandomiseCars(DrawSource& draws) {
  for (Car& car : state_.cars) {
    car.period = draws.Integer(1, kMaxPeriod + 1);
    car.countdown = car.period;
  }
  for (Car& car : state_.cars) car.rightward = draws.Uniform() >= 0.5 ? 1 : 0;
}

Outcome Freeway::Play(int action, DrawSource& draws) {
  Outcome outcome;
  MoveChicken(action);
  if (state_.chicken_y == 0) {
    outcome.reward = 1;
    RandomiseCars(draws);
    state_.chicken_y = kStartRow;
  }
  MoveCars();
  if (state_.move_timer > 0) --state_.move_timer;
  --state_.time_left;
  outcome.terminal = state_.time_left < 0;
  return outcome;
}

void Freeway::MoveChicken(int action) {
  if (state_.move_timer > 0 || (action != kUp && action != kDown)) return;
  state_.move_timer = kMoveInterval;
  state_.chicken_y += action == kUp ? -1 : 1;
  state_.chicken_y = std::clamp(state_.chicken_y, 0, kGridSize - 1);
}

void Freeway::MoveCars() {
  for (std::size_t i = 0; i < kCars; ++i) {
    Car& car = state_.cars[i];
    const auto hit_chicken = [&] {
      if (RowOf(i) == state_.chicken_y && car.x == kChickenColumn) state_.chicken_y = kStartRow;
    };
    hit_chicken();
    if (car.countdown > 0) {
      --car.countdown;
      continue;
    }
    car.countdown = car.period;
    car.x = Wrapped(car.x + (car.rightward != 0 ? 1 : -1));
    hit_chicken();
  }
}

void Freeway::Observe(std::span<std::uint8_t> cells) const {
  Planes planes(cells, kChannels.size());
  planes.Set(kChicken, state_.chicken_y, kChickenColumn);
  for (std::size_t i = 0; i < kCars; ++i) {
    const Car& car = state_.cars[i];
    planes.Set(kCar, RowOf(i), car.x);
    const int behind = Wrapped(car.x - (car.rightward != 0 ? 1 : -1));
    planes.Set(kFirstTrail + car.period - 1, RowOf(i), behind);
  }
}

void Freeway::SaveFields(StateWriter& writer) const {
  static_assert(std::has_unique_object_representations_v<State>);
  writer.Write(state_);
}

Status Freeway::RestoreFields(StateReader& reader, bool) {
  State state;
  GORILA_RETURN_IF_ERROR(reader.Read(state));
  GORILA_RETURN_IF_ERROR(CheckFields({
      {"chicken_y", state.chicken_y, 1, kStartRow},
      {"move_timer", state.move_timer, 0, kMoveInterval},
      {"time_left", state.time_left, -1, kTimeLimit},
  }));
  for (const Car& car : state.cars) {
    GORILA_RETURN_IF_ERROR(CheckFields({
        {"car.x", car.x, 0, kGridSize - 1},
        {"car.countdown", car.countdown, 0, kMaxPeriod},
        {"car.period", car.period, 1, kMaxPeriod},
        {"car.rightward", car.rightward, 0, 1},
    }));
  }
  state_ = state;
  return OkStatus();
}

}  // namespace gorila::minatar
