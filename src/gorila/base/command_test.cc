#include "gorila/base/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>  // pthread_sigmask is not in <csignal>  NOLINT(modernize-deprecated-headers)

namespace gorila {
namespace {

TEST(ShellQuotedTest, TheShellReadsItBack) {
  const std::vector<std::string> arguments = {
      "plain-word_1.2/3", "", "two words", "it's", "$HOME `x` \"y\" \\ *", "line\nbreak"};
  const auto outcome = RunCommand({"sh", "-c", "printf '%s|' " + ShellQuoted(arguments)});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  std::string expected;
  for (const std::string& argument : arguments) expected += argument + "|";
  EXPECT_EQ(outcome->output, expected);
  EXPECT_EQ(ShellQuoted("plain-word_1.2/3"), "plain-word_1.2/3");
}

TEST(RunCommandTest, GivesStatusAndBothOutputs) {
  const auto outcome = RunCommand({"sh", "-c", "echo a; echo b >&2; cat; exit 3"});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->exit_status, 3);
  EXPECT_EQ(outcome->output, "a\nb\n");
  EXPECT_EQ(RunCommand({"sh", "-c", "kill -KILL $$"})->exit_status, 137);
}

TEST(RunCommandTest, LongOutputIsWhole) {
  const auto outcome = RunCommand({"sh", "-c", "head -c 300000 /dev/zero"});
  EXPECT_EQ(outcome->output.size(), 300000u);
}

TEST(RunCommandTest, SignalsThatAreBlockedHereEndTheProgram) {
  sigset_t signals;
  sigset_t before;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  const auto outcome = RunCommand({"sh", "-c", "kill -TERM $$; echo still here"});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(outcome->exit_status, 128 + SIGTERM);
  EXPECT_EQ(outcome->output, "");
}

TEST(RunCommandTest, AMissingProgramIsNotFound) {
  const Status status = RunCommand({"gorila-no-such-program"}).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("'gorila-no-such-program' is not on PATH; install it"));
}

TEST(ShellQuotedPathTest, APathIsNotTakenForAnOption) {
  EXPECT_EQ(ShellQuotedPath("runs/x"), "runs/x");
  EXPECT_EQ(ShellQuotedPath("-x"), "./-x");
  EXPECT_EQ(ShellQuotedPath("my run"), "'my run'");
}

}  // namespace
}  // namespace gorila
