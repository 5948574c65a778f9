#include "gorila/env/pixel/motion.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace gorila::pixel {
namespace {

using minatar::BitGrid;

BitGrid Grid(std::initializer_list<std::pair<int, int>> cells) {
  BitGrid grid;
  for (const auto& [y, x] : cells) grid.Set(y, x);
  return grid;
}

TEST(MotionTest, ObjectsThatStayedOrAppearedDoNotMove) {
  const Motion motion(Grid({{1, 1}}), Grid({{1, 1}, {5, 5}}));
  EXPECT_EQ(motion.ShiftOf(1, 1), (Shift{0, 0}));
  EXPECT_EQ(motion.ShiftOf(5, 5), (Shift{0, 0}));
}

TEST(MotionTest, ALoneObjectComesFromTheCellThatItLeft) {
  for (const int dy : {-1, 0, 1}) {
    for (const int dx : {-1, 0, 1}) {
      const Motion motion(Grid({{4, 4}}), Grid({{4 + dy, 4 + dx}}));
      EXPECT_EQ(motion.ShiftOf(4 + dy, 4 + dx), (Shift{dx, dy}));
    }
  }
}

TEST(MotionTest, ABlockMovesTogetherThoughOneOfItWasHit) {
  BitGrid before;
  before.Fill(0, 3, 2, 7);
  BitGrid after;
  after.Fill(0, 3, 3, 8);
  after.Clear(3, 5);
  const Motion motion(before, after);
  for (const auto& [y, x] : {std::pair{0, 3}, {2, 5}, {3, 8}}) {
    EXPECT_EQ(motion.ShiftOf(y, x), (Shift{1, 0})) << y << ", " << x;
  }
}

TEST(MotionTest, ABlockThatOnlyLostMembersStays) {
  BitGrid before;
  before.Fill(1, 3, 0, 9);
  BitGrid after = before;
  after.Clear(3, 4);
  EXPECT_EQ(Motion(before, after).ShiftOf(2, 4), (Shift{0, 0}));
}

TEST(MotionTest, ObjectsThatMoveApartMoveOnTheirOwn) {
  const Motion motion(Grid({{1, 1}, {5, 5}, {8, 0}}), Grid({{1, 2}, {5, 4}, {8, 0}}));
  EXPECT_EQ(motion.ShiftOf(1, 2), (Shift{1, 0}));
  EXPECT_EQ(motion.ShiftOf(5, 4), (Shift{-1, 0}));
  EXPECT_EQ(motion.ShiftOf(8, 0), (Shift{0, 0}));
}

TEST(MotionTest, NothingComesFromAcrossTheEdge) {
  const Motion motion(Grid({{3, 9}, {6, 6}}), Grid({{3, 0}, {6, 5}}));
  EXPECT_EQ(motion.ShiftOf(3, 0), (Shift{0, 0}));
  EXPECT_EQ(motion.ShiftOf(6, 5), (Shift{-1, 0}));
}

}  // namespace
}  // namespace gorila::pixel
