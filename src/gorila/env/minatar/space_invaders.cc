#include "gorila/env/minatar/space_invaders.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <type_traits>

#include "gorila/env/state_fields.h"

namespace gorila::minatar {
namespace {

constexpr int kCannonRow = 9;
constexpr int kShotInterval = 5;        // steps
constexpr int kAlienShotInterval = 10;  // steps
constexpr int kFirstMoveInterval = 12;  // steps
constexpr int kLastMoveInterval = 6;    // steps
constexpr unsigned kLeftmost = 1U;
constexpr unsigned kRightmost = 1U << (kGridSize - 1);

enum SpaceInvadersChannel : int {
  kCannon,
  kAlien,
  kAlienLeftward,
  kAlienRightward,
  kFriendlyBullet,
  kEnemyBullet
};
constexpr std::array<Channel, 6> kChannels{{{"cannon", colour::kSkyBlue},
                                            {"alien", colour::kGrey},
                                            {"alien moving left", colour::kGreen},
                                            {"alien moving right", colour::kPurple},
                                            {"friendly bullet", colour::kWhite},
                                            {"enemy bullet", colour::kVermillion}}};
constexpr std::array<Action, 4> kMinimalActions{kNoOp, kLeft, kRight, kFire};

}  // namespace

const GameInfo& SpaceInvaders::info() const {
  static constexpr GameInfo kInfo{"space_invaders", kChannels, kMinimalActions};
  return kInfo;
}

void SpaceInvaders::Start(DrawSource&) {
  state_ = State{};
  state_.cannon_x = 5;
  state_.move_interval = state_.move_timer = kFirstMoveInterval;
  state_.alien_shot_timer = kAlienShotInterval;
  state_.aliens.Fill(0, 3, 2, 7);
}

Outcome SpaceInvaders::Play(int action, DrawSource&) {
  Outcome outcome;
  ActCannon(action);
  MoveBullets(outcome);
  MoveAliens(outcome);
  if (state_.alien_shot_timer == 0) {
    state_.alien_shot_timer = kAlienShotInterval;
    ShootFromNearestColumn();
  }
  outcome.reward = static_cast<float>(RemoveHitAliens());
  if (state_.shot_timer > 0) --state_.shot_timer;
  --state_.move_timer;
  --state_.alien_shot_timer;
  if (state_.aliens.Count() == 0) StartNextBlock();
  return outcome;
}

void SpaceInvaders::ActCannon(int action) {
  if (action == kFire && state_.shot_timer == 0) {
    state_.friendly_bullets.Set(kCannonRow, state_.cannon_x);
    state_.shot_timer = kShotInterval;
  }
  state_.cannon_x = MoveSideways(state_.cannon_x, action);
}

void SpaceInvaders::MoveBullets(Outcome& outcome) {
  auto& up = state_.friendly_bullets.rows;
  std::copy(up.begin() + 1, up.end(), up.begin());
  up.back() = 0;
  auto& down = state_.enemy_bullets.rows;
  std::copy_backward(down.begin(), down.end() - 1, down.end());
  down.front() = 0;
  if (state_.enemy_bullets.Has(kCannonRow, state_.cannon_x)) outcome.terminal = true;
}

bool SpaceInvaders::AlienOnCannon() const { return state_.aliens.Has(kCannonRow, state_.cannon_x); }

void SpaceInvaders::MoveAliens(Outcome& outcome) {
  if (AlienOnCannon()) outcome.terminal = true;
  if (state_.move_timer > 0) return;
  BitGrid& aliens = state_.aliens;
  state_.move_timer = std::min(aliens.Count(), state_.move_interval);
  if ((aliens.Columns() & (state_.rightward != 0 ? kRightmost : kLeftmost)) != 0) {
    state_.rightward = 1 - state_.rightward;
    if (aliens.row(kCannonRow) != 0) outcome.terminal = true;
    std::rotate(aliens.rows.begin(), aliens.rows.end() - 1, aliens.rows.end());
  } else {
    for (std::uint16_t& row : aliens.rows) {
      row = static_cast<std::uint16_t>(state_.rightward != 0 ? row << 1 : row >> 1);
    }
  }
  if (AlienOnCannon()) outcome.terminal = true;
}

// The lowest alien of the column nearest to the cannon; of two as near, the lower column.
void SpaceInvaders::ShootFromNearestColumn() {
  int nearest = -1;
  for (unsigned columns = state_.aliens.Columns(); columns != 0; columns &= columns - 1) {
    const int x = std::countr_zero(columns);
    if (nearest < 0 || std::abs(x - state_.cannon_x) < std::abs(nearest - state_.cannon_x)) {
      nearest = x;
    }
  }
  for (int y = kGridSize - 1; y >= 0 && nearest >= 0; --y) {
    if (!state_.aliens.Has(y, nearest)) continue;
    state_.enemy_bullets.Set(y, nearest);
    return;
  }
}

int SpaceInvaders::RemoveHitAliens() {
  int hits = 0;
  for (int y = 0; y < kGridSize; ++y) {
    const unsigned both = state_.aliens.row(y) & state_.friendly_bullets.row(y);
    hits += std::popcount(both);
    state_.aliens.row(y) = static_cast<std::uint16_t>(state_.aliens.row(y) & ~both);
    state_.friendly_bullets.row(y) =
        static_cast<std::uint16_t>(state_.friendly_bullets.row(y) & ~both);
  }
  return hits;
}

void SpaceInvaders::StartNextBlock() {
  if (ramping_ && state_.move_interval > kLastMoveInterval) --state_.move_interval;
  state_.aliens.Fill(0, 3, 2, 7);
}

void SpaceInvaders::Observe(std::span<std::uint8_t> cells) const {
  Planes planes(cells, kChannels.size());
  planes.Set(kCannon, kCannonRow, state_.cannon_x);
  state_.aliens.WriteTo(planes, kAlien);
  state_.aliens.WriteTo(planes, state_.rightward != 0 ? kAlienRightward : kAlienLeftward);
  state_.friendly_bullets.WriteTo(planes, kFriendlyBullet);
  state_.enemy_bullets.WriteTo(planes, kEnemyBullet);
}

void SpaceInvaders::SaveFields(StateWriter& writer) const {
  static_assert(std::has_unique_object_representations_v<State>);
  writer.Write(state_);
}

Status SpaceInvaders::RestoreFields(StateReader& reader, bool over) {
  State state;
  GORILA_RETURN_IF_ERROR(reader.Read(state));
  GORILA_RETURN_IF_ERROR(CheckFields({
      {"cannon_x", state.cannon_x, 0, kGridSize - 1},
      {"rightward", state.rightward, 0, 1},
      {"move_interval", state.move_interval, kLastMoveInterval, kFirstMoveInterval},
      {"move_timer", state.move_timer, 0, kFirstMoveInterval},
      {"alien_shot_timer", state.alien_shot_timer, 0, kAlienShotInterval},
      {"shot_timer", state.shot_timer, 0, kShotInterval},
      {"number of aliens", state.aliens.Count(), over ? 0 : 1, kCells},
      {"alien columns", state.aliens.Columns(), 0, BitGrid::kFullRow},
      {"friendly bullet columns", state.friendly_bullets.Columns(), 0, BitGrid::kFullRow},
      {"enemy bullet columns", state.enemy_bullets.Columns(), 0, BitGrid::kFullRow},
  }));
  state_ = state;
  return OkStatus();
}

}  // namespace gorila::minatar
