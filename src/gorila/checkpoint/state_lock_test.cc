#include "gorila/checkpoint/state_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>

namespace gorila {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kForEver{600'000};

class StateLockTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / fmt::format("state_lock_test-{}", ::getpid()) / "made";
};

TEST_F(StateLockTest, TheNextOneGetsItWhenTheHolderIsGone) {
  auto first = StateLock::Acquire(folder_, {}).value();
  EXPECT_TRUE(first->held());
  first.reset();
  EXPECT_TRUE(StateLock::Acquire(folder_, {.for_running = milliseconds(0)}).value()->held());
}

TEST_F(StateLockTest, AHolderThatEndsIsWaitedFor) {
  auto first = StateLock::Acquire(folder_, {}).value();
  first->MarkEnding();
  std::promise<void> waits;
  auto second = std::async(std::launch::async, [&] {
    return StateLock::Acquire(folder_, {.message = [&](std::string_view) { waits.set_value(); },
                                        .for_running = milliseconds(0),
                                        .for_ending = kForEver})
        .value();
  });
  waits.get_future().wait();
  first.reset();
  EXPECT_TRUE(second.get()->held());
}

TEST_F(StateLockTest, AHolderThatDoesNotEndIsReplacedAndTheLockTakenLater) {
  auto first = StateLock::Acquire(folder_, {}).value();
  const auto second = StateLock::Acquire(folder_, {.for_running = milliseconds(0)}).value();
  EXPECT_FALSE(second->held());
  second->TryAgain();
  EXPECT_FALSE(second->held());
  first.reset();
  second->TryAgain();
  EXPECT_TRUE(second->held());
}

TEST_F(StateLockTest, AnEarlierHoldersMarkIsForgotten) {
  StateLock::Acquire(folder_, {}).value()->MarkEnding();
  const auto second = StateLock::Acquire(folder_, {}).value();
  const auto third =
      StateLock::Acquire(folder_, {.for_running = milliseconds(0), .for_ending = kForEver});
  EXPECT_FALSE(third.value()->held());
}

TEST_F(StateLockTest, AStopEndsTheWait) {
  const auto first = StateLock::Acquire(folder_, {}).value();
  first->MarkEnding();
  const auto second =
      StateLock::Acquire(folder_, {.stop_requested = [] { return true; }, .for_ending = kForEver});
  EXPECT_TRUE(absl::IsCancelled(second.status())) << second.status();
}

}  // namespace
}  // namespace gorila
