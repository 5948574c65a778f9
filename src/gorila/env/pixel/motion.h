// Where the objects of a MinAtar game came from: what makes them move smoothly on a screen.
#ifndef GORILA_ENV_PIXEL_MOTION_H_
#define GORILA_ENV_PIXEL_MOTION_H_

#include "gorila/env/minatar/bit_grid.h"

namespace gorila::pixel {

// Cells that an object moved, to the right and down; 0 for one that stayed or has just appeared.
struct Shift {
  int x = 0;
  int y = 0;

  bool operator==(const Shift&) const = default;
};

// Guesses how the objects of one kind moved by at most a cell, diagonally too, between two steps. A
// game does not say which object is which. Objects that all moved alike (a block of aliens, of
// which a few may have been hit) move together; else each that is new where it is came from a
// neighbouring cell that was left, if there is one.
class Motion {
 public:
  Motion(const minatar::BitGrid& before, const minatar::BitGrid& after);

  // The motion of the object now at (y, x).
  Shift ShiftOf(int y, int x) const;

 private:
  bool CommonShift();

  const minatar::BitGrid before_;
  const minatar::BitGrid after_;
  bool common_ = false;
  Shift shift_;  // of all, when common_
};

}  // namespace gorila::pixel

#endif  // GORILA_ENV_PIXEL_MOTION_H_
