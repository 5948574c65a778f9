#include "gorila/simulation/task.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <utility>

namespace gorila::simulation {
namespace {

TEST(TaskTest, HoldsWhatCanOnlyBeMoved) {
  int sum = 0;
  Task task = [&sum, one = std::make_unique<int>(1)] { sum += *one; };
  Task moved = std::move(task);
  moved();
  EXPECT_EQ(sum, 1);
}

TEST(TaskTest, HoldsWhatHasNoRoomInIt) {
  std::array<int, 100> numbers{};
  numbers.back() = 7;
  int last = 0;
  Task task = [&last, numbers] { last = numbers.back(); };
  Task moved = std::move(task);
  moved();
  EXPECT_EQ(last, 7);
}

TEST(TaskTest, LetsGoOfWhatItHeld) {
  const auto held = std::make_shared<int>(1);
  Task task = [held] {};
  EXPECT_EQ(held.use_count(), 2);
  Task other = [held] {};
  task = std::move(other);
  EXPECT_EQ(held.use_count(), 2);
  task = Task();
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace gorila::simulation
