#include "gorila/env/classic/catch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "gorila/env/registry.h"

namespace gorila {
namespace {

constexpr int kColumns = 5;

struct Frame {
  std::vector<std::byte> cells = std::vector<std::byte>(50);
  // The column of the set cell in `row`, -1 when there is none.
  int Column(int row) const {
    const auto begin = cells.begin() + row * kColumns;
    const auto found = std::find(begin, begin + kColumns, std::byte{1});
    return found == begin + kColumns ? -1 : static_cast<int>(found - begin);
  }
};

TEST(CatchTest, BallFallsARowAStepFromARandomColumn) {
  Catch environment({}, MakeRandomDraws(RandomStream(3)));
  std::vector<int> starts(kColumns);
  Frame frame;
  for (int episode = 0; episode < 500; ++episode) {
    const TimeStep first = environment.Reset(frame.cells).value();
    EXPECT_EQ(first.step_type, StepType::kFirst);
    EXPECT_EQ(frame.Column(9), 2) << "the paddle starts in the middle";
    const int column = frame.Column(0);
    ASSERT_GE(column, 0);
    ++starts[static_cast<std::size_t>(column)];
    for (int row = 1; row < 9; ++row) {
      const TimeStep step = environment.Step(1, frame.cells).value();
      ASSERT_EQ(step.step_type, StepType::kMid);
      ASSERT_EQ(step.reward, 0);
      ASSERT_EQ(frame.Column(row), column);
      ASSERT_EQ(std::count(frame.cells.begin(), frame.cells.end(), std::byte{1}), 2);
    }
    const TimeStep last = environment.Step(1, frame.cells).value();
    ASSERT_EQ(last.step_type, StepType::kLast);
    ASSERT_EQ(last.discount, 0);
    ASSERT_EQ(last.reward, column == 2 ? 1 : -1);
  }
  // 100 expected; five standard deviations are 45.
  for (const int count : starts) EXPECT_NEAR(count, 100, 45);
}

// Moves towards (or away from) the ball's column; the sum of rewards of 100 episodes.
float Play(bool towards) {
  Catch environment({}, MakeRandomDraws(RandomStream(4)));
  Frame frame;
  float total = 0;
  for (int episode = 0; episode < 100; ++episode) {
    TimeStep step = environment.Reset(frame.cells).value();
    for (int row = 0; !step.last(); ++row) {
      const int difference = frame.Column(row) - frame.Column(9);
      const int direct = std::clamp(difference, -1, 1);
      // Fleeing from right above means either way; the wall stops only one of them.
      const int away = difference > 0 ? -1 : 1;
      step = environment.Step(1 + (towards ? direct : away), frame.cells).value();
      total += step.reward;
    }
  }
  return total;
}

TEST(CatchTest, OptimalPlayCatchesEveryBall) { EXPECT_EQ(Play(/*towards=*/true), 100); }

TEST(CatchTest, PaddleStopsAtTheEdges) {
  Catch environment({}, MakeRandomDraws(RandomStream(5)));
  Frame frame;
  environment.Reset(frame.cells).value();
  for (int i = 0; i < 5; ++i) environment.Step(0, frame.cells).value();
  EXPECT_EQ(frame.Column(9), 0);
  environment.Reset(frame.cells).value();
  for (int i = 0; i < 5; ++i) environment.Step(2, frame.cells).value();
  EXPECT_EQ(frame.Column(9), 4);
}

TEST(CatchTest, FleeingMissesEveryBall) {
  // From the middle, a ball at or left of column 2 drives the paddle to column 4 and the others to
  // column 0: it never lands under the ball.
  EXPECT_EQ(Play(/*towards=*/false), -100);
}

TEST(CatchTest, RunningEpisodeCannotHaveALandedBall) {
  Catch environment({}, MakeRandomDraws(RandomStream(6)));
  Frame frame;
  environment.Reset(frame.cells).value();
  StateWriter writer;
  environment.SaveState(writer);
  std::string bytes = writer.Take();
  // Name, step count and running flag come before the ball's column and row.
  const std::size_t row_at = 8 + environment.spec().name.size() + 8 + 1 + 4;
  ASSERT_EQ(bytes.at(row_at), 0);
  bytes.at(row_at) = 9;
  StateReader reader(bytes);
  EXPECT_EQ(environment.RestoreState(reader).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace gorila
