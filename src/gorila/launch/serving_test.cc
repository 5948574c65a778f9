#include "gorila/launch/serving.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SnapshotScheduleTest : public testing::Test {
 protected:
  // Runs until `check` has given each of the answers.
  Status Run(std::vector<Status> answers) {
    std::size_t asked = 0;
    const RoleHooks hooks = {.stop_requested = [&] { return asked == answers.size(); },
                             .message = [this](std::string_view text) { said_.emplace_back(text); },
                             .board = nullptr};
    return TakeSnapshotsUntilStopped({.every_seconds = 0,
                                      .check = [&] { return answers[asked++]; },
                                      .take = [] { return OkStatus(); },
                                      .check_every = std::chrono::milliseconds(0)},
                                     hooks);
  }

  std::vector<std::string> said_;
};

TEST_F(SnapshotScheduleTest, AnUnavailableFileSystemDoesNotEndTheProcess) {
  const Status away = Unavailable("cannot list 'state/generations': Input/output error");
  EXPECT_TRUE(Run({OkStatus(), away, away, OkStatus()}).ok());
  EXPECT_THAT(said_, ElementsAre(HasSubstr("Input/output error")));
}

TEST_F(SnapshotScheduleTest, AReplacedProcessEnds) {
  EXPECT_TRUE(absl::IsFailedPrecondition(
      Run({OkStatus(), absl::FailedPreconditionError("replaced"), OkStatus()})));
}

}  // namespace
}  // namespace gorila
