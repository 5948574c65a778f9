#include "gorila/evaluation/start_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/agent/frame_stacker.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;

StartPoints Points() {
  return {.environment = "pixel/breakout",
          .action_repeat = 4,
          .action_names = {"no-op", "right", "left"},
          .starts = {{.seed = 3, .episode = 1, .actions = {0, 1, 1, 2, 0, 1}},
                     {.seed = 3, .episode = 2, .actions = {}}}};
}

TEST(StartPointsTest, ReadBackAsTheyWereWritten) {
  EXPECT_EQ(DecodeStartPoints(EncodeStartPoints(Points())).value(), Points());
}

TEST(StartPointsTest, RefusesWhatItDidNotWrite) {
  const auto message = [](const std::string& text) {
    const Status status = DecodeStartPoints(text).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    return std::string(status.message());
  };
  const std::string text = EncodeStartPoints(Points());
  const std::string header = text.substr(0, text.find('\n') + 1);
  EXPECT_THAT(message(""), HasSubstr("no start points"));
  EXPECT_THAT(message(header), HasSubstr("no start points"));
  EXPECT_THAT(message("{}\n"), HasSubstr("line 1"));
  EXPECT_THAT(message(R"({"format":"other","version":1})"), HasSubstr("not that of start points"));
  EXPECT_THAT(message(header + R"({"seed":1,"episode":1,"actions":[3]})"),
              HasSubstr("line 2: action 3; expected 0 to 2"));
  EXPECT_THAT(message(text + "{\"seed\":1"), HasSubstr("line 4"));
  EXPECT_TRUE(absl::IsNotFound(ReadStartPoints("no/such/file").status()));
}

StatusOr<std::unique_ptr<Environment>> Start(const StartPoints& points,
                                             std::string_view environment,
                                             const EnvironmentOptions& options,
                                             std::span<std::byte> stacked) {
  const auto factory = MakeEnvironmentFactory(environment, StartPointOptions(options)).value();
  return MakeAtStart(points, points.starts[0], environment, options, *factory, stacked);
}

TEST(StartPointsTest, TheGameIsWhereThePersonLeftIt) {
  const StartPoints points = Points();
  const EnvironmentOptions options;
  std::vector<std::byte> stacked(84 * 84 * 4);
  const auto started = Start(points, "pixel/breakout", options, stacked).value();

  const auto played =
      MakeEnvironment("pixel/breakout", StartPointOptions(options),
                      MakeRandomDraws(RandomStream::Derive(3, "play environment", 1)))
          .value();
  std::vector<std::byte> expected(stacked.size());
  FrameStacker stacker(played->spec().observation, expected);
  played->Reset(stacker.BeginEpisode()).value();
  const std::vector<std::string>& names = played->spec().action_names;
  for (const int action : points.starts[0].actions) {
    const std::string& name = points.action_names[static_cast<std::size_t>(action)];
    const auto index = std::find(names.begin(), names.end(), name) - names.begin();
    played->Step(static_cast<int>(index), stacker.Advance()).value();
  }
  EXPECT_EQ(stacked, expected);
  StateWriter a, b;
  started->SaveState(a);
  played->SaveState(b);
  EXPECT_EQ(a.bytes(), b.bytes());
}

TEST(StartPointsTest, RefusesStartsThatDoNotFit) {
  std::vector<std::byte> stacked(84 * 84 * 4);
  const auto message = [&](const StartPoints& points, std::string_view environment,
                           const EnvironmentOptions& options) {
    const Status status = Start(points, environment, options, stacked).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(message(Points(), "pixel/asterix", {}), HasSubstr("expected 'pixel/asterix'"));
  EXPECT_THAT(message(Points(), "pixel/breakout", {.atari = {.action_repeat = 2}}),
              HasSubstr("atari.action_repeat is 2"));
  StartPoints jumping = Points();
  jumping.action_names = {"no-op", "jump", "left"};
  EXPECT_THAT(message(jumping, "pixel/breakout", {}), HasSubstr("the action 'jump'"));
  StartPoints endless = Points();
  endless.starts[0].actions.assign(30000, 0);
  EXPECT_THAT(message(endless, "pixel/breakout", {}), HasSubstr("ends its game at step"));
}

}  // namespace
}  // namespace gorila
