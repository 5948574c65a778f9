#include "gorila/base/exhaustion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace gorila {
namespace {

using ::testing::HasSubstr;

const std::system_error kNoThread(std::make_error_code(std::errc::resource_unavailable_try_again));

Status Throwing(const std::system_error& error) {
  return WithoutThrowing([&error]() -> Status { throw error; });
}

TEST(ExhaustionTest, WhatWorkReturnsIsGivenBack) {
  EXPECT_EQ(WithoutThrowing([]() -> StatusOr<int> { return 3; }).value(), 3);
}

TEST(ExhaustionTest, LackOfMemoryIsAnError) {
  const auto work = []() -> StatusOr<int> { throw std::bad_alloc(); };
  const Status status = WithoutThrowing(work).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("out of memory: "));
}

TEST(ExhaustionTest, LackOfThreadsNamesTheLimits) {
  const Status status = Throwing(kNoThread);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot start a thread: "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("ulimit -u is "));
}

TEST(ExhaustionTest, OtherRefusalsOfTheSystemSpeakForThemselves) {
  const Status status =
      Throwing(std::system_error(std::make_error_code(std::errc::no_space_on_device), "write"));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("write: No space left on device"));
}

// Threads of libraries: nobody catches what they throw.
template <typename Error>
void ThrowInAThread(const Error& error) {
  EndProgramOnExhaustion();
  std::thread([&error] { throw error; }).join();
}

class ExhaustionDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(ExhaustionDeathTest, LackOfMemoryThatNobodyCatchesIsOneLine) {
  EXPECT_EXIT(ThrowInAThread(std::bad_alloc()), testing::ExitedWithCode(1),
              "^gorila: out of memory[^\n]*\n$");
}

TEST_F(ExhaustionDeathTest, LackOfThreadsThatNobodyCatchesIsOneLine) {
  EXPECT_EXIT(ThrowInAThread(kNoThread), testing::ExitedWithCode(1),
              "^gorila: cannot start a thread: [^\n]*\n$");
}

TEST_F(ExhaustionDeathTest, FaultsOfOurOwnLeaveACore) {
  EXPECT_EXIT(ThrowInAThread(std::logic_error("a fault")), testing::KilledBySignal(SIGABRT),
              "a fault");
}

}  // namespace
}  // namespace gorila
