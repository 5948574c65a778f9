#include "gorila/env/pixel/motion.h"

#include <array>

namespace gorila::pixel {
namespace {

using minatar::BitGrid;
using minatar::kGridSize;

constexpr int kMostHitAtOnce = 2;

// Nearest first, so that the simplest guess is taken.
constexpr std::array<Shift, 8> kShifts = {
    {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}}};

BitGrid Shifted(const BitGrid& grid, Shift shift) {
  BitGrid shifted;
  for (int y = 0; y < kGridSize; ++y) {
    if (!minatar::OnGrid(y - shift.y)) continue;
    const unsigned row = grid.row(y - shift.y);
    const unsigned moved = shift.x > 0 ? row << shift.x : row >> -shift.x;
    shifted.row(y) = static_cast<std::uint16_t>(moved & BitGrid::kFullRow);
  }
  return shifted;
}

bool Contains(const BitGrid& whole, const BitGrid& part) {
  for (int y = 0; y < kGridSize; ++y) {
    if ((part.row(y) & ~whole.row(y)) != 0) return false;
  }
  return true;
}

bool MovedBy(const BitGrid& before, const BitGrid& after, Shift shift) {
  const BitGrid moved = Shifted(before, shift);
  return Contains(moved, after) && moved.Count() - after.Count() <= kMostHitAtOnce;
}

}  // namespace

Motion::Motion(const BitGrid& before, const BitGrid& after) : before_(before), after_(after) {
  common_ = CommonShift();
}

bool Motion::CommonShift() {
  // Most objects of most steps stay where they are.
  if (Contains(before_, after_)) return true;
  for (const Shift& shift : kShifts) {
    if (!MovedBy(before_, after_, shift)) continue;
    shift_ = shift;
    return true;
  }
  return false;
}

Shift Motion::ShiftOf(int y, int x) const {
  if (common_) return shift_;
  if (before_.Has(y, x)) return {};
  for (const Shift& shift : kShifts) {
    const int from_y = y - shift.y;
    const int from_x = x - shift.x;
    if (!minatar::OnGrid(from_x) || !minatar::OnGrid(from_y)) continue;
    if (before_.Has(from_y, from_x) && !after_.Has(from_y, from_x)) return shift;
  }
  return {};
}

}  // namespace gorila::pixel
