#include "gorila/evaluation/protocol_label.h"

#include <gtest/gtest.h>

#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/report/run_report.h"

namespace gorila {
namespace {

std::string Label(std::string_view protocol, double epsilon, std::string_view environment) {
  return ProtocolLabel(**FindEvaluationProtocol(protocol), epsilon, environment);
}

TEST(ProtocolLabelTest, AProtocolByTheLetterHasItsName) {
  for (const EvaluationProtocol& protocol : EvaluationProtocols()) {
    EXPECT_EQ(ProtocolLabel(protocol, protocol.epsilon, "pixel/breakout"), protocol.name);
    EXPECT_EQ(ProtocolLabel(protocol, protocol.epsilon, "atari/pong"), protocol.name);
    EXPECT_EQ(protocol.name.find(' '), protocol.name.npos);
  }
}

TEST(ProtocolLabelTest, AnotherEpsilonIsNamedBesideTheProtocolsOwn) {
  EXPECT_EQ(Label("greedy", 1, "minatar/freeway"), "greedy with epsilon 1 instead of 0");
  EXPECT_EQ(Label("noop30", 0.01, "atari/pong"), "noop30 with epsilon 0.01 instead of 0.05");
}

TEST(ProtocolLabelTest, GamesWithoutAConsoleHaveNoNullOpStartsAndNoStickyJoystick) {
  EXPECT_EQ(Label("noop30", 0.05, "minatar/freeway"), "noop30 without its console options");
  EXPECT_EQ(Label("sticky", 0, "classic/catch"),
            "sticky with epsilon 0 instead of 0.05 and without its console options");
  EXPECT_EQ(Label("human-starts", 0.05, "minatar/freeway"), "human-starts");
}

TEST(ProtocolLabelTest, AConfigurationIsLabelledAsItsScoreWillBe) {
  Config config = testing_config::SmallConfig();
  config.environment.name = "classic/catch";
  config.evaluation.protocol = "epsilon-0.05";
  for (const double epsilon : {-1.0, 0.05, 0.5}) {
    config.evaluation.epsilon = epsilon;
    RandomStream random(3);
    const auto parameters =
        InitialParameters(MakeParameterLayout(ResolveNetwork(config).value()), random);
    EXPECT_EQ(ConfiguredProtocolLabel(config).value(),
              Evaluate(config, parameters, {.protocol = "epsilon-0.05", .episodes = 1})->protocol);
  }
  config.evaluation.protocol = "none";
  EXPECT_TRUE(absl::IsInvalidArgument(ConfiguredProtocolLabel(config).status()));
}

// "greedy" alone, then "greedy with epsilon 1": what two earlier versions wrote.
TEST(ProtocolLabelTest, RecordsOfOlderVersionsAreReadWithTheLabelOfToday) {
  for (const char* const recorded :
       {"greedy", "greedy with epsilon 1", "greedy with epsilon 1 instead of 0"}) {
    EvaluationRecord record;
    record.environment = "classic/catch";
    record.result.protocol = recorded;
    record.result.epsilon = 1;
    record.result.returns = {-1, 1};
    const EvaluationRecord read = DecodeEvaluation(EncodeEvaluation(record)).value();
    EXPECT_EQ(read.result.protocol, "greedy with epsilon 1 instead of 0");
    EXPECT_EQ(DescribeScore(read.result),
              "0.00 +- 1.00 (protocol greedy with epsilon 1 instead of 0, 2 episodes)");
  }
  EXPECT_EQ(RecordedProtocolLabel("MinAtar's own", 1, "minatar/freeway"), "MinAtar's own");
}

TEST(StickyActionsTest, AreThoseOfTheGameThatWasPlayed) {
  Config config = testing_config::SmallConfig();
  config.environment.options.sticky_actions = 0.25;
  config.environment.options.atari.screen_size = 14;
  config.environment.options.atari.stack = 1;
  config.environment.options.atari.repeat_action_probability = 0.5;
  const auto sticky = [&](const char* environment, const char* protocol) {
    config.environment.name = environment;
    RandomStream random(3);
    const auto parameters =
        InitialParameters(MakeParameterLayout(ResolveNetwork(config).value()), random);
    const EvaluationResult result =
        Evaluate(config, parameters, {.protocol = protocol, .episodes = 1}).value();
    EvaluationRecord record;
    record.environment = environment;
    record.result = result;
    EXPECT_EQ(DecodeEvaluation(EncodeEvaluation(record))->result.sticky_actions,
              result.sticky_actions);
    return result.sticky_actions.value();
  };
  EXPECT_EQ(sticky("minatar/breakout", "epsilon-0.05"), 0.25);
  EXPECT_EQ(sticky("classic/catch", "greedy"), 0);
  EXPECT_EQ(sticky("pixel/breakout", "sticky"), 0.25);
  EXPECT_EQ(sticky("pixel/breakout", "epsilon-0.05"), 0.5);
  EXPECT_EQ(sticky("pixel/breakout", "noop30"), 0);
}

}  // namespace
}  // namespace gorila
