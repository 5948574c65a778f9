#include "gorila/evaluation/protocol_label.h"

#include <gtest/gtest.h>

#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"

namespace gorila {
namespace {

std::string Label(std::string_view protocol, double epsilon, std::string_view environment,
                  ActBy act = ActBy::kArgmax) {
  return ProtocolLabel(**FindEvaluationProtocol(protocol), epsilon, act, environment);
}

TEST(ProtocolLabelTest, AProtocolByTheLetterHasItsName) {
  for (const EvaluationProtocol& protocol : EvaluationProtocols()) {
    EXPECT_EQ(Label(protocol.name, protocol.epsilon, "pixel/breakout"), protocol.name);
    EXPECT_EQ(Label(protocol.name, protocol.epsilon, "atari/pong"), protocol.name);
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

TEST(ProtocolLabelTest, SampledActionsAreNamedAndWhatBecameOfTheProtocolsEpsilon) {
  const auto sampled = [](std::string_view protocol, double epsilon, std::string_view environment) {
    return Label(protocol, epsilon, environment, ActBy::kSample);
  };
  EXPECT_EQ(sampled("greedy", 0, "classic/catch"), "greedy with sampled actions");
  EXPECT_EQ(sampled("noop30", 0, "atari/pong"),
            "noop30 with sampled actions instead of epsilon 0.05");
  EXPECT_EQ(sampled("noop30", 0.05, "atari/pong"), "noop30 with sampled actions and epsilon 0.05");
  EXPECT_EQ(sampled("greedy", 0.5, "classic/catch"),
            "greedy with sampled actions and epsilon 0.5 instead of 0");
  EXPECT_EQ(sampled("sticky", 0, "classic/catch"),
            "sticky with sampled actions instead of epsilon 0.05 and without its console options");
  for (const EvaluationProtocol& protocol : EvaluationProtocols()) {
    const std::string label = sampled(protocol.name, 0, "classic/catch");
    EXPECT_NE(label, Label(protocol.name, protocol.epsilon, "classic/catch"));
    EXPECT_EQ(label.find(','), label.npos);
  }
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
  config.learner.agent.algorithm = "vtrace";
  for (const EvaluationAct act : {EvaluationAct::kAuto, EvaluationAct::kArgmax}) {
    config.evaluation.act = act;
    config.evaluation.epsilon = -1;
    RandomStream random(3);
    const auto parameters =
        InitialParameters(MakeParameterLayout(ResolveNetwork(config).value()), random);
    const bool sampled = act == EvaluationAct::kAuto;
    EXPECT_EQ(
        ConfiguredProtocolLabel(config).value(),
        sampled ? "epsilon-0.05 with sampled actions instead of epsilon 0.05" : "epsilon-0.05");
    EXPECT_EQ(ConfiguredProtocolLabel(config).value(),
              Evaluate(config, parameters, {.protocol = "epsilon-0.05", .episodes = 1})->protocol);
  }
  config.evaluation.protocol = "none";
  EXPECT_TRUE(absl::IsInvalidArgument(ConfiguredProtocolLabel(config).status()));
}

}  // namespace
}  // namespace gorila
