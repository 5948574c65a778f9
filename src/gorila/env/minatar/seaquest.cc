#include "gorila/env/minatar/seaquest.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "gorila/env/state_fields.h"

namespace gorila::minatar {
namespace {

constexpr int kFullOxygen = 200;              // steps under water
constexpr int kFirstEnemySpawnInterval = 20;  // steps
constexpr int kDiverSpawnInterval = 30;       // steps
constexpr int kFirstMoveInterval = 5;         // steps
constexpr int kLastMoveInterval = 2;          // steps
constexpr int kDiverMoveInterval = 5;         // steps
constexpr int kShotInterval = 5;              // steps
constexpr int kEnemyShotInterval = 10;        // steps
constexpr int kMaxDivers = 6;
constexpr int kGaugeRow = 9;
constexpr int kLowestRow = 8;

// No list gets longer: an enemy crosses in at most 10 moves of 6 steps, at most one comes a step,
// and a bullet lives at most 10 steps while its submarine shoots every 11.
constexpr std::size_t kMaxListed = 128;

// Far beyond any game: surfacing counts both without a limit.
constexpr int kManySurfacings = 1'000'000'000;

enum SeaquestChannel : int {
  kSubFront,
  kSubBack,
  kFriendlyBullet,
  kTrail,
  kEnemyBullet,
  kEnemyFish,
  kEnemySub,
  kOxygenGauge,
  kDiverGauge,
  kDiver
};
constexpr std::array<Channel, 10> kChannels{{{"sub front", colour::kSkyBlue},
                                             {"sub back", colour::kBlue},
                                             {"friendly bullet", colour::kWhite},
                                             {"trail", colour::kDim},
                                             {"enemy bullet", colour::kVermillion},
                                             {"enemy fish", colour::kPurple},
                                             {"enemy sub", colour::kOrange},
                                             {"oxygen gauge", colour::kGrey},
                                             {"diver gauge", colour::kGreen},
                                             {"diver", colour::kYellow}}};
constexpr std::array<Action, 6> kMinimalActions{kNoOp, kLeft, kUp, kRight, kDown, kFire};

int Direction(int rightward) { return rightward != 0 ? 1 : -1; }

template <typename Thing>
void EraseAt(std::vector<Thing>& list, std::size_t index) {
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(index));
}

// Removes the first of `list` on the cell (y, x); false when there is none.
template <typename Thing>
bool EraseFirstOn(std::vector<Thing>& list, int y, int x) {
  const auto found = std::find_if(list.begin(), list.end(), [y, x](const Thing& thing) {
    return thing.y == y && thing.x == x;
  });
  if (found == list.end()) return false;
  list.erase(found);
  return true;
}

// Reads a list and checks what all its things have in common.
template <typename Thing>
Status ReadList(StateReader& reader, std::string_view name, std::vector<Thing>& list) {
  GORILA_RETURN_IF_ERROR(reader.ReadVector(list));
  if (list.size() > kMaxListed) {
    return DataLoss("state has {} {}, expected at most {}", list.size(), name, kMaxListed);
  }
  for (const Thing& thing : list) {
    GORILA_RETURN_IF_ERROR(Annotate(CheckFields({{"x", thing.x, 0, kGridSize - 1},
                                                 {"y", thing.y, 0, kLowestRow},
                                                 {"rightward", thing.rightward, 0, 1}}),
                                    std::string(name)));
  }
  return OkStatus();
}

}  // namespace

Seaquest::Seaquest(bool ramping) : ramping_(ramping) {
  for (Bullets* list : {&friendly_bullets_, &enemy_bullets_}) list->reserve(kMaxListed);
  for (Swimmers* list : {&fish_, &enemy_subs_, &divers_}) list->reserve(kMaxListed);
}

const GameInfo& Seaquest::info() const {
  static constexpr GameInfo kInfo{"seaquest", kChannels, kMinimalActions};
  return kInfo;
}

void Seaquest::Start(DrawSource&) {
  for (Bullets* list : {&friendly_bullets_, &enemy_bullets_}) list->clear();
  for (Swimmers* list : {&fish_, &enemy_subs_, &divers_}) list->clear();
  state_ = State{};
  state_.sub_x = 5;
  state_.oxygen = kFullOxygen;
  state_.surfaced = 1;
  state_.enemy_spawn_interval = state_.enemy_spawn_timer = kFirstEnemySpawnInterval;
  state_.diver_spawn_timer = kDiverSpawnInterval;
  state_.move_interval = kFirstMoveInterval;
}

Outcome Seaquest::Play(int action, DrawSource& draws) {
  Outcome outcome;
  SpawnWhenDue(draws);
  ActSub(action);
  MoveFriendlyBullets(outcome);
  MoveDivers();
  MoveEnemies(enemy_subs_, /*shooting=*/true, outcome);
  MoveEnemyBullets(outcome);
  MoveEnemies(fish_, /*shooting=*/false, outcome);
  CountDownTimers();
  Breathe(outcome);
  return outcome;
}

void Seaquest::SpawnWhenDue(DrawSource& draws) {
  if (state_.enemy_spawn_timer == 0) {
    SpawnEnemy(draws);
    state_.enemy_spawn_timer = state_.enemy_spawn_interval;
  }
  if (state_.diver_spawn_timer == 0) {
    SpawnDiver(draws);
    state_.diver_spawn_timer = kDiverSpawnInterval;
  }
}

void Seaquest::SpawnEnemy(DrawSource& draws) {
  const int rightward = draws.Uniform() < 1.0 / 2 ? 1 : 0;
  const bool is_sub = draws.Uniform() < 1.0 / 3;
  const int row = draws.Integer(1, 9);
  if (RowHasOpposite(fish_, row, rightward) || RowHasOpposite(enemy_subs_, row, rightward)) return;
  (is_sub ? enemy_subs_ : fish_)
      .push_back({.x = rightward != 0 ? 0 : kGridSize - 1,
                  .y = row,
                  .rightward = rightward,
                  .move_countdown = state_.move_interval,
                  .shot_countdown = kEnemyShotInterval});
}

bool Seaquest::RowHasOpposite(const Swimmers& enemies, int row, int rightward) const {
  return std::any_of(enemies.begin(), enemies.end(), [=](const Swimmer& enemy) {
    return enemy.y == row && enemy.rightward != rightward;
  });
}

void Seaquest::SpawnDiver(DrawSource& draws) {
  const int rightward = draws.Uniform() < 1.0 / 2 ? 1 : 0;
  divers_.push_back({.x = rightward != 0 ? 0 : kGridSize - 1,
                     .y = draws.Integer(1, 9),
                     .rightward = rightward,
                     .move_countdown = kDiverMoveInterval});
}

void Seaquest::ActSub(int action) {
  if (action == kFire && state_.shot_timer == 0) {
    friendly_bullets_.push_back(
        {.x = state_.sub_x, .y = state_.sub_y, .rightward = state_.rightward});
    state_.shot_timer = kShotInterval;
  }
  if (action == kLeft || action == kRight) state_.rightward = action == kRight ? 1 : 0;
  state_.sub_x = MoveSideways(state_.sub_x, action);
  if (action == kUp) state_.sub_y = std::max(state_.sub_y - 1, 0);
  if (action == kDown) state_.sub_y = std::min(state_.sub_y + 1, kLowestRow);
}

void Seaquest::MoveFriendlyBullets(Outcome& outcome) {
  for (std::size_t i = friendly_bullets_.size(); i-- > 0;) {
    Bullet& bullet = friendly_bullets_[i];
    bullet.x += Direction(bullet.rightward);
    if (!OnGrid(bullet.x)) {
      EraseAt(friendly_bullets_, i);
    } else if (EraseFirstOn(fish_, bullet.y, bullet.x) ||
               EraseFirstOn(enemy_subs_, bullet.y, bullet.x)) {
      EraseAt(friendly_bullets_, i);
      outcome.reward += 1;
    }
  }
}

// Whether the diver is on our cell and there was room; then it is aboard.
bool Seaquest::PickUp(const Swimmer& diver) {
  if (!OnSub(diver) || state_.divers_aboard >= kMaxDivers) return false;
  ++state_.divers_aboard;
  return true;
}

void Seaquest::MoveDivers() {
  for (std::size_t i = divers_.size(); i-- > 0;) {
    Swimmer& diver = divers_[i];
    bool gone = PickUp(diver);
    if (!gone && diver.move_countdown == 0) {
      diver.move_countdown = kDiverMoveInterval;
      diver.x += Direction(diver.rightward);
      gone = !OnGrid(diver.x) || PickUp(diver);
    } else if (!gone) {
      --diver.move_countdown;
    }
    if (gone) EraseAt(divers_, i);
  }
}

void Seaquest::MoveEnemies(Swimmers& enemies, bool shooting, Outcome& outcome) {
  for (std::size_t i = enemies.size(); i-- > 0;) {
    Swimmer& enemy = enemies[i];
    const bool gone = AdvanceEnemy(enemy, outcome);
    // Even one that has just gone may shoot.
    if (shooting && enemy.shot_countdown-- == 0) {
      enemy.shot_countdown = kEnemyShotInterval;
      enemy_bullets_.push_back({.x = enemy.x, .y = enemy.y, .rightward = enemy.rightward});
    }
    if (gone) EraseAt(enemies, i);
  }
}

// Whether the enemy left the grid or ran into a bullet.
bool Seaquest::AdvanceEnemy(Swimmer& enemy, Outcome& outcome) {
  if (OnSub(enemy)) outcome.terminal = true;
  if (enemy.move_countdown > 0) {
    --enemy.move_countdown;
    return false;
  }
  enemy.move_countdown = state_.move_interval;
  enemy.x += Direction(enemy.rightward);
  if (!OnGrid(enemy.x)) return true;
  if (OnSub(enemy)) {
    outcome.terminal = true;
    return false;
  }
  if (!EraseFirstOn(friendly_bullets_, enemy.y, enemy.x)) return false;
  outcome.reward += 1;
  return true;
}

void Seaquest::MoveEnemyBullets(Outcome& outcome) {
  for (std::size_t i = enemy_bullets_.size(); i-- > 0;) {
    Bullet& bullet = enemy_bullets_[i];
    if (OnSub(bullet)) outcome.terminal = true;
    bullet.x += Direction(bullet.rightward);
    if (!OnGrid(bullet.x)) {
      EraseAt(enemy_bullets_, i);
    } else if (OnSub(bullet)) {
      outcome.terminal = true;
    }
  }
}

void Seaquest::CountDownTimers() {
  for (std::int32_t* timer :
       {&state_.enemy_spawn_timer, &state_.diver_spawn_timer, &state_.shot_timer}) {
    if (*timer > 0) --*timer;
  }
}

void Seaquest::Breathe(Outcome& outcome) {
  if (state_.oxygen <= 0) outcome.terminal = true;
  if (state_.sub_y > 0) {
    --state_.oxygen;
    state_.surfaced = 0;
  } else if (state_.surfaced == 0) {
    if (state_.divers_aboard == 0) {
      outcome.terminal = true;
    } else {
      Surface(outcome);
    }
  }
}

void Seaquest::Surface(Outcome& outcome) {
  state_.surfaced = 1;
  if (state_.divers_aboard == kMaxDivers) {
    state_.divers_aboard = 0;
    const int tenths = std::max(state_.oxygen, 0) * kGridSize / kFullOxygen;
    outcome.reward += static_cast<float>(tenths);
  }
  state_.oxygen = kFullOxygen;
  --state_.divers_aboard;
  if (!ramping_) return;
  if (state_.enemy_spawn_interval <= 1 && state_.move_interval <= kLastMoveInterval) return;
  if (state_.move_interval > kLastMoveInterval && state_.ramp_index % 2 == 1) {
    --state_.move_interval;
  }
  if (state_.enemy_spawn_interval > 1) --state_.enemy_spawn_interval;
  ++state_.ramp_index;
}

void Seaquest::Observe(std::span<std::uint8_t> cells) const {
  Planes planes(cells, kChannels.size());
  const auto set_if_on_grid = [&planes](int channel, int y, int x) {
    if (OnGrid(x)) planes.Set(channel, y, x);
  };
  planes.Set(kSubFront, state_.sub_y, state_.sub_x);
  set_if_on_grid(kSubBack, state_.sub_y, state_.sub_x - Direction(state_.rightward));
  const int oxygen_cells = std::max(state_.oxygen, 0) * kGridSize / kFullOxygen;
  for (int x = 0; x < oxygen_cells; ++x) planes.Set(kOxygenGauge, kGaugeRow, x);
  for (int x = 9 - state_.divers_aboard; x <= 8; ++x) planes.Set(kDiverGauge, kGaugeRow, x);
  for (const Bullet& bullet : friendly_bullets_) planes.Set(kFriendlyBullet, bullet.y, bullet.x);
  for (const Bullet& bullet : enemy_bullets_) planes.Set(kEnemyBullet, bullet.y, bullet.x);
  const auto draw_swimmers = [&](const Swimmers& swimmers, int channel) {
    for (const Swimmer& swimmer : swimmers) {
      planes.Set(channel, swimmer.y, swimmer.x);
      set_if_on_grid(kTrail, swimmer.y, swimmer.x - Direction(swimmer.rightward));
    }
  };
  draw_swimmers(fish_, kEnemyFish);
  draw_swimmers(enemy_subs_, kEnemySub);
  draw_swimmers(divers_, kDiver);
}

void Seaquest::SaveFields(StateWriter& writer) const {
  static_assert(std::has_unique_object_representations_v<State>);
  writer.Write(state_);
  for (const Bullets* list : {&friendly_bullets_, &enemy_bullets_}) {
    writer.WriteSpan(std::span<const Bullet>(*list));
  }
  for (const Swimmers* list : {&fish_, &enemy_subs_, &divers_}) {
    writer.WriteSpan(std::span<const Swimmer>(*list));
  }
}

Status Seaquest::RestoreFields(StateReader& reader, bool) {
  State state;
  GORILA_RETURN_IF_ERROR(reader.Read(state));
  GORILA_RETURN_IF_ERROR(CheckFields({
      {"sub_x", state.sub_x, 0, kGridSize - 1},
      {"sub_y", state.sub_y, 0, kLowestRow},
      {"rightward", state.rightward, 0, 1},
      {"oxygen", state.oxygen, -1, kFullOxygen},
      {"divers_aboard", state.divers_aboard, -kManySurfacings, kMaxDivers},
      {"surfaced", state.surfaced, 0, 1},
      {"enemy_spawn_interval", state.enemy_spawn_interval, 1, kFirstEnemySpawnInterval},
      {"enemy_spawn_timer", state.enemy_spawn_timer, 0, kFirstEnemySpawnInterval},
      {"diver_spawn_timer", state.diver_spawn_timer, 0, kDiverSpawnInterval},
      {"move_interval", state.move_interval, kLastMoveInterval, kFirstMoveInterval},
      {"shot_timer", state.shot_timer, 0, kShotInterval},
      {"ramp_index", state.ramp_index, 0, kManySurfacings},
  }));
  Bullets friendly_bullets, enemy_bullets;
  Swimmers fish, enemy_subs, divers;
  GORILA_RETURN_IF_ERROR(ReadList(reader, "friendly bullets", friendly_bullets));
  GORILA_RETURN_IF_ERROR(ReadList(reader, "enemy bullets", enemy_bullets));
  GORILA_RETURN_IF_ERROR(ReadList(reader, "fish", fish));
  GORILA_RETURN_IF_ERROR(ReadList(reader, "enemy subs", enemy_subs));
  GORILA_RETURN_IF_ERROR(ReadList(reader, "divers", divers));
  for (const Swimmers* list : {&fish, &enemy_subs, &divers}) {
    for (const Swimmer& swimmer : *list) {
      GORILA_RETURN_IF_ERROR(CheckFields({
          {"move_countdown", swimmer.move_countdown, 0, kFirstMoveInterval},
          {"shot_countdown", swimmer.shot_countdown, 0, kEnemyShotInterval},
      }));
    }
  }
  state_ = state;
  // Copies into the reserved memory, so that steps still allocate nothing.
  friendly_bullets_.assign(friendly_bullets.begin(), friendly_bullets.end());
  enemy_bullets_.assign(enemy_bullets.begin(), enemy_bullets.end());
  fish_.assign(fish.begin(), fish.end());
  enemy_subs_.assign(enemy_subs.begin(), enemy_subs.end());
  divers_.assign(divers.begin(), divers.end());
  return OkStatus();
}

}  // namespace gorila::minatar
