#include "gorila/rpc/retry.h"

#include <gtest/gtest.h>

#include <vector>

namespace gorila::rpc {
namespace {

using std::chrono::milliseconds;

constexpr RetryPolicy kQuick = {.patience = milliseconds(60'000),
                                .first_wait = milliseconds(1),
                                .longest_wait = milliseconds(4)};

TEST(RetryTest, TriesAgainUntilItSucceeds) {
  int tries = 0;
  int failures = 0;
  const Status status = Retry(
      kQuick, {}, [&] { return ++tries < 4 ? Unavailable("away") : OkStatus(); },
      [&](const Status& failure) {
        EXPECT_EQ(failure.message(), "away");
        ++failures;
      });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(tries, 4);
  EXPECT_EQ(failures, 3);
}

TEST(RetryTest, AFinalErrorEndsItAtOnce) {
  int tries = 0;
  const Status status = Retry(kQuick, {}, [&] {
    ++tries;
    return InvalidArgument("wrong shape");
  });
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(tries, 1);
}

TEST(RetryTest, StopEndsItWithCancelled) {
  int tries = 0;
  const Status status = Retry(
      kQuick, [&] { return tries >= 3; },
      [&] {
        ++tries;
        return Unavailable("away");
      });
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_EQ(tries, 3);
}

TEST(RetryTest, StopEndsALongWait) {
  RetryPolicy slow = kQuick;
  slow.first_wait = slow.longest_wait = std::chrono::hours(1);
  bool failed = false;
  const Status status = Retry(
      slow, [&] { return failed; }, [] { return Unavailable("away"); },
      [&](const Status&) { failed = true; });
  EXPECT_TRUE(absl::IsCancelled(status));
}

TEST(RetryTest, ImpatienceGivesTheLastError) {
  RetryPolicy policy = kQuick;
  policy.patience = milliseconds(5);
  const Status status = Retry(policy, {}, [] { return Unavailable("away"); });
  EXPECT_TRUE(absl::IsUnavailable(status));
}

TEST(RetryTest, WaitsDoubleUpToTheLongest) {
  const RetryPolicy policy = {.patience = milliseconds(1),
                              .first_wait = milliseconds(100),
                              .longest_wait = milliseconds(1000)};
  std::vector<std::int64_t> waits;
  for (int failures = 1; failures <= 6; ++failures) {
    waits.push_back(RetryWait(policy, failures, 0).count());
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{100, 200, 400, 800, 1000, 1000}));
  EXPECT_EQ(RetryWait(policy, 1, 1.0).count(), 75) << "up to a quarter less";
  EXPECT_EQ(RetryWait(policy, 1000, 0).count(), 1000);
}

TEST(RetryTest, RefusalsAreFinalAndOutagesAreNot) {
  for (const auto code : {absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded,
                          absl::StatusCode::kResourceExhausted, absl::StatusCode::kAborted}) {
    EXPECT_TRUE(IsRetryable(Status(code, "")));
  }
  for (const auto code :
       {absl::StatusCode::kInvalidArgument, absl::StatusCode::kUnauthenticated,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kFailedPrecondition,
        absl::StatusCode::kUnimplemented, absl::StatusCode::kNotFound}) {
    EXPECT_FALSE(IsRetryable(Status(code, "")));
  }
}

}  // namespace
}  // namespace gorila::rpc
