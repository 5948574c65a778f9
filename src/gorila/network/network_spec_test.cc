#include "gorila/network/network_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "gorila/network/parameter_layout.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

EnvironmentSpec MakeEnvironmentSpec(int channels, int height, int width, int stack, int actions) {
  return {.name = "some/game",
          .observation = {.channels = channels, .height = height, .width = width, .stack = stack},
          .action_names = std::vector<std::string>(static_cast<std::size_t>(actions), "a")};
}

EnvironmentSpec Breakout() { return MakeEnvironmentSpec(4, 10, 10, 1, 6); }
EnvironmentSpec Atari(int actions) { return MakeEnvironmentSpec(1, 84, 84, 4, actions); }

// The message of the error that CheckNetworkSpec gives.
std::string Complaint(const NetworkSpec& spec) {
  const Status status = CheckNetworkSpec(spec);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

NetworkSpec SmallSpec() {
  return {.input = {.channels = 2, .height = 6, .width = 5},
          .convolutions = {{.filters = 3, .kernel = 3, .stride = 2}},
          .hidden = {7},
          .num_actions = 4};
}

TEST(NetworkSpecTest, NatureDqnHasThePublishedNumberOfParameters) {
  for (const std::size_t actions : {4U, 18U}) {
    const auto spec = MakeNetworkSpec("nature_dqn", Atari(static_cast<int>(actions)));
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(MakeParameterLayout(*spec).size, 1'684'128 + 513 * actions);
  }
}

TEST(NetworkSpecTest, MinAtarDqnHasThePublishedLayers) {
  const auto spec = MakeNetworkSpec("minatar_dqn", Breakout());
  ASSERT_TRUE(spec.ok()) << spec.status();
  const ParameterLayout layout = MakeParameterLayout(*spec);
  ASSERT_THAT(layout.tensors, SizeIs(6));
  EXPECT_THAT(layout.tensors[0].shape, ElementsAre(16, 4, 3, 3));
  EXPECT_THAT(layout.tensors[2].shape, ElementsAre(128, 1024));
  EXPECT_THAT(layout.tensors[4].shape, ElementsAre(6, 128));
}

TEST(NetworkSpecTest, AutoFollowsTheObservation) {
  EXPECT_EQ(*MakeNetworkSpec("auto", Atari(4)), *MakeNetworkSpec("nature_dqn", Atari(4)));
  EXPECT_EQ(*MakeNetworkSpec("auto", Breakout()), *MakeNetworkSpec("minatar_dqn", Breakout()));
  const EnvironmentSpec vector = MakeEnvironmentSpec(4, 1, 1, 1, 2);
  EXPECT_EQ(*MakeNetworkSpec("auto", vector), *MakeNetworkSpec("mlp", vector));
  const EnvironmentSpec picture = MakeEnvironmentSpec(3, 64, 64, 1, 2);
  EXPECT_EQ(*MakeNetworkSpec("auto", picture), *MakeNetworkSpec("nature_dqn", picture));
}

TEST(NetworkSpecTest, EveryPresetIsKnownByName) {
  for (const NetworkPreset& preset : NetworkPresets()) {
    const auto spec = MakeNetworkSpec(preset.name, Atari(4));
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->convolutions, preset.convolutions);
    EXPECT_EQ(spec->hidden, preset.hidden);
  }
}

TEST(NetworkSpecTest, UnknownPresetIsRefusedWithTheNearest) {
  const Status status = MakeNetworkSpec("nature_dqm", Atari(4)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'nature_dqm'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'nature_dqn'"));
}

TEST(NetworkSpecTest, PresetThatDoesNotFitNamesLayerAndSizes) {
  const Status status =
      MakeNetworkSpec("nature_dqn", MakeEnvironmentSpec(4, 20, 20, 1, 6)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("nature_dqn for some/game: conv3: kernel 3x3 is larger than its input of "
                        "1x1"));
}

TEST(NetworkSpecTest, SizesThatAreNotPositiveAreRefusedByLayer) {
  EXPECT_TRUE(CheckNetworkSpec(SmallSpec()).ok());

  NetworkSpec spec = SmallSpec();
  spec.input.width = 0;
  EXPECT_THAT(Complaint(spec), HasSubstr("input: width is 0"));

  spec = SmallSpec();
  spec.input.stack = -1;
  EXPECT_THAT(Complaint(spec), HasSubstr("input: stack is -1"));

  spec = SmallSpec();
  spec.convolutions[0].stride = 0;
  EXPECT_THAT(Complaint(spec), HasSubstr("conv1: stride is 0"));

  spec = SmallSpec();
  spec.convolutions.push_back({.filters = 0, .kernel = 1});
  EXPECT_THAT(Complaint(spec), HasSubstr("conv2: filters is 0"));

  spec = SmallSpec();
  spec.hidden.push_back(0);
  EXPECT_THAT(Complaint(spec), HasSubstr("fc2: units is 0"));

  spec = SmallSpec();
  spec.taus = -1;
  EXPECT_THAT(Complaint(spec), HasSubstr("tau: taus is -1"));

  spec = SmallSpec();
  spec.num_actions = 0;
  EXPECT_THAT(Complaint(spec), HasSubstr("q: num_actions is 0"));
}

TEST(NetworkSpecTest, SizesBeyondThirtyTwoBitsAreRefusedByLayer) {
  constexpr int kHuge = std::numeric_limits<int>::max();
  NetworkSpec spec = SmallSpec();
  spec.input.channels = kHuge;
  EXPECT_THAT(Complaint(spec), HasSubstr("input: elements"));

  spec = SmallSpec();
  spec.convolutions[0].filters = kHuge;
  EXPECT_THAT(Complaint(spec), HasSubstr("conv1: weights"));

  spec = SmallSpec();
  spec.taus = kHuge;
  EXPECT_THAT(Complaint(spec), HasSubstr("tau: features of all taus"));

  spec = SmallSpec();
  spec.hidden = {kHuge};
  EXPECT_THAT(Complaint(spec), HasSubstr("fc1: weights"));
}

}  // namespace
}  // namespace gorila
