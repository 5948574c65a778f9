#include "gorila/env/minatar/asterix.h"

#include <algorithm>
#include <type_traits>

#include "gorila/env/state_fields.h"

namespace gorila::minatar {
namespace {

constexpr int kFirstSpawnInterval = 10;  // steps
constexpr int kFirstMoveInterval = 5;    // steps
constexpr int kRampInterval = 100;       // steps
// Every ramp shortens an interval or only counts; nothing gets shorter after this many.
constexpr int kMaxRamps = 2 * (kFirstSpawnInterval + kFirstMoveInterval);

enum AsterixChannel : int { kPlayer, kEnemy, kTrail, kGold };
constexpr std::array<Channel, 4> kChannels{{{"player", colour::kSkyBlue},
                                            {"enemy", colour::kVermillion},
                                            {"trail", colour::kDim},
                                            {"gold", colour::kYellow}}};
constexpr std::array<Action, 5> kMinimalActions{kNoOp, kLeft, kUp, kRight, kDown};

int RowOf(std::size_t slot) { return static_cast<int>(slot) + 1; }

}  // namespace

const GameInfo& Asterix::info() const {
  static constexpr GameInfo kInfo{"asterix", kChannels, kMinimalActions};
  return kInfo;
}

void Asterix::Start(DrawSource&) {
  state_ = State{};
  state_.player_x = 5;
  state_.player_y = 5;
  state_.spawn_interval = state_.spawn_timer = kFirstSpawnInterval;
  state_.move_interval = state_.move_timer = kFirstMoveInterval;
  state_.ramp_timer = kRampInterval;
}

Outcome Asterix::Play(int action, DrawSource& draws) {
  Outcome outcome;
  if (state_.spawn_timer == 0) {
    Spawn(draws);
    state_.spawn_timer = state_.spawn_interval;
  }
  MovePlayer(action);
  for (std::size_t slot = 0; slot < kSlots; ++slot) Touch(slot, outcome);
  if (state_.move_timer == 0) {
    state_.move_timer = state_.move_interval;
    MoveEntities(outcome);
  }
  --state_.spawn_timer;
  --state_.move_timer;
  if (ramping_) Ramp();
  return outcome;
}

void Asterix::Spawn(DrawSource& draws) {
  const bool rightward = draws.Uniform() < 1.0 / 2;
  const bool gold = draws.Uniform() < 1.0 / 3;
  const auto empty = std::count_if(state_.slots.begin(), state_.slots.end(),
                                   [](const Entity& entity) { return entity.present == 0; });
  if (empty == 0) return;
  int skip = draws.Integer(0, static_cast<int>(empty));
  for (Entity& entity : state_.slots) {
    if (entity.present != 0 || skip-- > 0) continue;
    entity = {.present = 1,
              .x = rightward ? 0 : kGridSize - 1,
              .rightward = rightward ? 1 : 0,
              .gold = gold ? 1 : 0};
    return;
  }
}

void Asterix::MovePlayer(int action) {
  state_.player_x = MoveSideways(state_.player_x, action);
  if (action == kUp) state_.player_y = std::max(state_.player_y - 1, 1);
  if (action == kDown) state_.player_y = std::min(state_.player_y + 1, kSlots);
}

// Called when the slot's entity is on the player's cell.
void Asterix::Touch(std::size_t slot, Outcome& outcome) {
  Entity& entity = state_.slots[slot];
  if (entity.present == 0 || RowOf(slot) != state_.player_y || entity.x != state_.player_x) return;
  if (entity.gold != 0) {
    entity.present = 0;
    outcome.reward += 1;
  } else {
    outcome.terminal = true;
  }
}

void Asterix::MoveEntities(Outcome& outcome) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    Entity& entity = state_.slots[slot];
    if (entity.present == 0) continue;
    entity.x += entity.rightward != 0 ? 1 : -1;
    if (!OnGrid(entity.x)) {
      entity = Entity{};
      continue;
    }
    Touch(slot, outcome);
  }
}

void Asterix::Ramp() {
  if (state_.spawn_interval <= 1 && state_.move_interval <= 1) return;
  if (state_.ramp_timer >= 0) {
    --state_.ramp_timer;
    return;
  }
  if (state_.move_interval > 1 && state_.ramp_index % 2 == 1) --state_.move_interval;
  if (state_.spawn_interval > 1) --state_.spawn_interval;
  ++state_.ramp_index;
  state_.ramp_timer = kRampInterval;
}

void Asterix::Observe(std::span<std::uint8_t> cells) const {
  Planes planes(cells, kChannels.size());
  planes.Set(kPlayer, state_.player_y, state_.player_x);
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const Entity& entity = state_.slots[slot];
    if (entity.present == 0) continue;
    planes.Set(entity.gold != 0 ? kGold : kEnemy, RowOf(slot), entity.x);
    const int behind = entity.x - (entity.rightward != 0 ? 1 : -1);
    if (OnGrid(behind)) planes.Set(kTrail, RowOf(slot), behind);
  }
}

void Asterix::SaveFields(StateWriter& writer) const {
  static_assert(std::has_unique_object_representations_v<State>);
  writer.Write(state_);
}

Status Asterix::RestoreFields(StateReader& reader, bool) {
  State state;
  GORILA_RETURN_IF_ERROR(reader.Read(state));
  GORILA_RETURN_IF_ERROR(CheckFields({
      {"player_x", state.player_x, 0, kGridSize - 1},
      {"player_y", state.player_y, 1, kSlots},
      {"spawn_interval", state.spawn_interval, 1, kFirstSpawnInterval},
      {"spawn_timer", state.spawn_timer, 0, kFirstSpawnInterval},
      {"move_interval", state.move_interval, 1, kFirstMoveInterval},
      {"move_timer", state.move_timer, 0, kFirstMoveInterval},
      {"ramp_timer", state.ramp_timer, -1, kRampInterval},
      {"ramp_index", state.ramp_index, 0, kMaxRamps},
  }));
  for (const Entity& entity : state.slots) {
    GORILA_RETURN_IF_ERROR(CheckFields({
        {"entity.present", entity.present, 0, 1},
        {"entity.x", entity.x, 0, kGridSize - 1},
        {"entity.rightward", entity.rightward, 0, 1},
        {"entity.gold", entity.gold, 0, 1},
    }));
  }
  state_ = state;
  return OkStatus();
}

}  // namespace gorila::minatar
