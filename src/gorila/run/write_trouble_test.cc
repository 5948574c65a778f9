#include "gorila/run/write_trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(WriteTroubleTest, SpeaksOnceForEachOutage) {
  std::vector<std::string> said;
  const auto say = [&](std::string_view line) { said.emplace_back(line); };
  WriteTrouble trouble;
  const Status full = Unavailable("cannot write 'x': No space left on device");
  trouble.Note("checkpoint", OkStatus(), say);
  for (int i = 0; i < 3; ++i) trouble.Note("checkpoint", full, say);
  for (int i = 0; i < 3; ++i) trouble.Note("checkpoint", OkStatus(), say);
  trouble.Note("checkpoint", full, say);
  trouble.Note("run log", full, {});
  EXPECT_THAT(said, ElementsAre(HasSubstr("No space left on device; training continues"),
                                "the checkpoint can be written again", HasSubstr("No space")));
}

}  // namespace
}  // namespace gorila
