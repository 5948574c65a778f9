#include "gorila/base/thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "gorila/base/testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ThreadTest, DoesItsWork) {
  int done = 0;
  StartThread("test", [&done] { done = 1; }).value().join();
  EXPECT_EQ(done, 1);
}

TEST(ThreadTest, OneThatCannotBeHadIsAnError) {
  const NoThreads none;
  const Status status = StartThread("bundle 3", [] {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), StartsWith("bundle 3: cannot start a thread: "));
}

TEST(ThreadTest, TriesWhetherThreadsCanBeHad) {
  EXPECT_TRUE(CheckThreads("server", 3).ok());
  const NoThreads none;
  EXPECT_THAT(std::string(CheckThreads("server", 3).message()),
              HasSubstr("server: cannot start a thread: "));
}

TEST(ThreadDeathTest, OneThatCannotBeHadEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto start = [] {
    const NoThreads none;
    StartThreadOrEnd("signals", [] {}).join();
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(1),
              "^gorila: signals: cannot start a thread: [^\n]*\n$");
}

TEST(ThreadDeathTest, WorkThatRunsOutOfMemoryEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto start = [] { StartThread("test", [] { throw std::bad_alloc(); }).value().join(); };
  EXPECT_EXIT(start(), testing::ExitedWithCode(1), "^gorila: out of memory: [^\n]*\n$");
}

}  // namespace
}  // namespace gorila
