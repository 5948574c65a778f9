#include "gorila/cli/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TerminalTest, KeysAreReadInOrder) {
  EXPECT_THAT(ParseKeys("+\x1b[A\x1bOD s"),
              ElementsAre(Key::kFaster, Key::kUp, Key::kLeft, Key::kSpace, Key::kStep));
  EXPECT_THAT(ParseKeys("pQ-=\x1a\x1c"), ElementsAre(Key::kPause, Key::kQuit, Key::kSlower,
                                                     Key::kFaster, Key::kSuspend, Key::kQuit));
}

TEST(TerminalTest, OtherKeysArePassedOver) {
  EXPECT_THAT(ParseKeys("xyz\x1b[Z\x1b"), IsEmpty());
  EXPECT_THAT(ParseKeys(""), IsEmpty());
}

TEST(TerminalTest, ColoursTakeNoColumns) {
  EXPECT_EQ(DisplayColumns("\x1b[38;2;1;2;3;48;2;4;5;6m\u2580\x1b[0m  ab"), 5);
  EXPECT_EQ(DisplayColumns(""), 0);
  EXPECT_EQ(DisplayColumns("\x1b["), 0);
}

}  // namespace
}  // namespace gorila::cli
