// What an actor's network sees must be what a learner's sees later: FrameStacker against the stacks
// that replay rebuilds.
#include "gorila/agent/frame_stacker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/replay/stream_store.h"

namespace gorila {
namespace {

class FrameStackerTest : public testing::TestWithParam<ObservationSpec> {};

TEST_P(FrameStackerTest, SeesWhatReplayRebuilds) {
  const ObservationSpec spec = GetParam();
  RandomStream random(13);
  std::vector<std::byte> stacked(spec.stacked_bytes(), std::byte{0xee});
  std::vector<std::byte> rebuilt(spec.stacked_bytes());
  FrameStacker stacker(spec, stacked);
  StreamStore store(spec, 1000);
  for (int episode = 0; episode < 30; ++episode) {
    const int length = random.Integer(1, 9);
    for (int step = 0; step <= length; ++step) {
      const std::span<std::byte> frame = step == 0 ? stacker.BeginEpisode() : stacker.Advance();
      for (std::byte& value : frame) value = static_cast<std::byte>(random.Integer(0, 256));
      ReplayRow row{.frame = stacker.newest(), .time_step = {}, .action = 0};
      row.time_step.step_type = step == 0        ? StepType::kFirst
                                : step == length ? StepType::kLast
                                                 : StepType::kMid;
      store.Append(row, [] { FAIL() << "it has room for all"; });
      store.CopyStack(store.end() - 1, rebuilt.data());
      ASSERT_EQ(stacked, rebuilt) << "episode " << episode << ", step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Stacks, FrameStackerTest,
    testing::Values(ObservationSpec{.channels = 2, .height = 3, .width = 5, .stack = 1},
                    ObservationSpec{.channels = 2, .height = 3, .width = 5, .stack = 2},
                    ObservationSpec{.height = 4, .width = 4, .stack = 4},
                    ObservationSpec{.width = 3, .element = ElementType::kFloat32, .stack = 3}),
    [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST(FrameStacksTest, StacksOfEnvironmentsLieSideBySideAndDoNotMix) {
  FrameStacks stacks({.width = 1, .stack = 2}, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    stacks.stacker(i).BeginEpisode()[0] = static_cast<std::byte>(10 * (i + 1));
  }
  stacks.stacker(1).Advance()[0] = std::byte{21};
  const auto seen = [&stacks](std::size_t environments) {
    std::vector<int> values;
    for (const std::byte value : stacks.first(environments)) {
      values.push_back(std::to_integer<int>(value));
    }
    return values;
  };
  EXPECT_THAT(seen(3), testing::ElementsAre(0, 10, 20, 21, 0, 30));
  EXPECT_THAT(seen(2), testing::ElementsAre(0, 10, 20, 21));
  stacks.Copy(1, 0);
  stacks.stacker(1).BeginEpisode()[0] = std::byte{22};
  EXPECT_THAT(seen(3), testing::ElementsAre(20, 21, 0, 22, 0, 30));
}

}  // namespace
}  // namespace gorila
