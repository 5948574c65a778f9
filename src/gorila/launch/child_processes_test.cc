#include "gorila/launch/child_processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "gorila/base/testing.h"
#include "gorila/rpc/retry.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr RestartPolicy kQuick = {.first_wait = milliseconds(1),
                                  .longest_wait = milliseconds(5),
                                  .healthy_after = std::chrono::hours(1),
                                  .most_in_a_row = 3};
constexpr milliseconds kLong{60'000};

class ChildProcessesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("gorila_child_processes_{}", ::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override {
    children_.reset();
    fs::remove_all(folder_);
  }
  void Make(const RestartPolicy& policy = kQuick) {
    children_ = std::make_unique<ChildProcesses>(policy, [](std::string_view) {});
  }
  ChildCommand Shell(const std::string& name, const std::string& script,
                     ChildKind kind = ChildKind::kServer) {
    return {.name = name,
            .arguments = {"/bin/sh", "-c", script, "sh", folder_.string()},
            .log = folder_ / (name + ".log"),
            .kind = kind};
  }
  std::string Read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  // The test's own time limit ends a wait for something that never comes.
  template <typename Condition>
  void WaitUntil(Condition condition) {
    while (!condition()) rpc::SleepUnlessStopped(milliseconds(1), {});
  }

  fs::path folder_;
  std::unique_ptr<ChildProcesses> children_;
};

TEST_F(ChildProcessesTest, AFinishedChildIsNotStartedAgain) {
  Make();
  children_->Start(Shell("bundle-0", "echo once", ChildKind::kWorker));
  WaitUntil([&] { return children_->AllEnded(ChildKind::kWorker); });
  EXPECT_TRUE(children_->failure().ok());
  EXPECT_EQ(Read("bundle-0.log"), "once\n");
}

TEST_F(ChildProcessesTest, ADeadChildIsStartedAgainAndItsLogGoesOn) {
  Make();
  children_->Start(Shell("a", "echo x; [ $(wc -l < $1/a.log) -ge 3 ] || kill -KILL $$; exit 0",
                         ChildKind::kWorker));
  WaitUntil([&] { return children_->AllEnded(ChildKind::kWorker); });
  EXPECT_TRUE(children_->failure().ok()) << children_->failure();
  EXPECT_EQ(Read("a.log"), "x\nx\nx\n");
}

TEST_F(ChildProcessesTest, LaterArgumentsHoldForTheNextStart) {
  Make();
  children_->Start(Shell("a", "touch $1/first; while [ ! -e $1/go ]; do sleep 0.01; done; exit 1"));
  WaitUntil([&] { return fs::exists(folder_ / "first"); });
  children_->SetArguments("a", Shell("a", "touch $1/second; sleep 600").arguments);
  std::ofstream(folder_ / "go") << "";
  WaitUntil([&] { return fs::exists(folder_ / "second"); });
}

TEST_F(ChildProcessesTest, DeathsInARowFailTheRunWithNameAndLog) {
  Make();
  children_->Start(Shell("parameter-server-1", "exit 7"));
  WaitUntil([&] { return !children_->failure().ok(); });
  const std::string message(children_->failure().message());
  EXPECT_THAT(message, HasSubstr("parameter-server-1 ended with exit status 7"));
  EXPECT_THAT(message, HasSubstr("parameter-server-1.log"));
}

TEST_F(ChildProcessesTest, AChildThatSaysBadInputFailsTheRunAtOnce) {
  Make();
  children_->Start(Shell("a", "echo x; exit 2"));
  WaitUntil([&] { return !children_->failure().ok(); });
  EXPECT_EQ(Read("a.log"), "x\n");
}

TEST_F(ChildProcessesTest, AProgramThatCannotBeStartedFailsTheRun) {
  Make();
  children_->Start({.name = "a", .arguments = {"/nonexistent"}, .log = folder_ / "a.log"});
  WaitUntil([&] { return !children_->failure().ok(); });
  EXPECT_THAT(std::string(children_->failure().message()), HasSubstr("exit status 127"));
}

TEST_F(ChildProcessesTest, ATaskIsNeverStartedAgainAndSaysHowItEnded) {
  Make();
  children_->Start(Shell("good", "exit 0", ChildKind::kTask));
  children_->Start(Shell("bad", "echo x; exit 2", ChildKind::kTask));
  children_->Start(Shell("killed", "kill -KILL $$", ChildKind::kTask));
  children_->Start({.name = "missing",
                    .arguments = {"/bin/true"},
                    .log = folder_ / "none" / "a.log",
                    .kind = ChildKind::kTask});
  EXPECT_EQ(children_->WaitForTask("good")->exit_status, 0);
  EXPECT_EQ(children_->WaitForTask("bad")->exit_status, 2);
  EXPECT_EQ(children_->WaitForTask("bad")->text, "ended with exit status 2");
  EXPECT_EQ(children_->WaitForTask("killed")->exit_status, -1);
  EXPECT_EQ(children_->WaitForTask("killed")->text, "was killed by signal 9");
  EXPECT_TRUE(absl::IsUnavailable(children_->WaitForTask("missing").status()));
  EXPECT_TRUE(children_->failure().ok()) << children_->failure();
  EXPECT_EQ(Read("bad.log"), "x\n");
}

TEST_F(ChildProcessesTest, AStopEndsTasksAndThoseWhoWaitForThem) {
  Make();
  children_->Start(Shell("a", "trap 'exit 130' TERM; touch $1/ready; while :; do sleep 0.01; done",
                         ChildKind::kTask));
  WaitUntil([&] { return fs::exists(folder_ / "ready"); });
  std::thread stopper([&] { children_->Stop(ChildKind::kTask, kLong); });
  EXPECT_EQ(children_->WaitForTask("a")->exit_status, 130);
  stopper.join();
}

TEST_F(ChildProcessesTest, StopAsksFirst) {
  Make();
  children_->Start(
      Shell("a", "trap 'echo asked; exit 0' TERM; touch $1/ready; while :; do sleep 0.01; done"));
  WaitUntil([&] { return fs::exists(folder_ / "ready"); });
  children_->Stop(ChildKind::kServer, kLong);
  EXPECT_EQ(Read("a.log"), "asked\n");
  EXPECT_TRUE(children_->AllEnded(ChildKind::kServer));
}

TEST_F(ChildProcessesTest, StopKillsWhatDoesNotEnd) {
  Make();
  children_->Start(Shell("a", "trap '' TERM; touch $1/ready; while :; do sleep 0.01; done"));
  children_->Start(Shell("b", "touch $1/other; sleep 600", ChildKind::kWorker));
  WaitUntil([&] { return fs::exists(folder_ / "ready") && fs::exists(folder_ / "other"); });
  children_->Stop(ChildKind::kServer, milliseconds(20));
  EXPECT_TRUE(children_->AllEnded(ChildKind::kServer));
  EXPECT_FALSE(children_->AllEnded(ChildKind::kWorker));
}

TEST_F(ChildProcessesTest, StopEndsEvenAProcessThatIsHalted) {
  Make();
  children_->Start(Shell("a", "touch $1/ready; kill -STOP $$"));
  WaitUntil([&] { return fs::exists(folder_ / "ready"); });
  children_->Stop(ChildKind::kServer, milliseconds(20));
  EXPECT_TRUE(children_->AllEnded(ChildKind::kServer));
}

TEST_F(ChildProcessesTest, TheDestructorLeavesNobodyBehind) {
  Make();
  children_->Start(Shell("a", "echo $$ > $1/pid.part; mv $1/pid.part $1/pid; sleep 600"));
  WaitUntil([&] { return fs::exists(folder_ / "pid"); });
  children_.reset();
  EXPECT_NE(::kill(std::stoi(Read("pid")), 0), 0);
}

TEST_F(ChildProcessesTest, WithoutAThreadToWatchThemTheRunFails) {
  const NoThreads none;
  Make();
  children_->Start(Shell("server", "true"));
  EXPECT_EQ(children_->failure().code(), absl::StatusCode::kResourceExhausted);
  children_->Start(Shell("task", "true", ChildKind::kTask));
  EXPECT_TRUE(absl::IsResourceExhausted(children_->WaitForTask("task").status()));
  children_->Stop(ChildKind::kServer, kLong);
  EXPECT_TRUE(children_->AllEnded(ChildKind::kServer));
}

}  // namespace
}  // namespace gorila
