#include "gorila/report/evaluation_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "gorila/base/json.h"
#include "gorila/base/random.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/evaluation/protocol_label.h"

namespace gorila {
namespace {

// "greedy" alone, then "greedy with epsilon 1": what two earlier versions wrote.
TEST(EvaluationRecordTest, RecordsOfOlderVersionsAreReadWithTheLabelOfToday) {
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
  EXPECT_EQ(RecordedProtocolLabel("MinAtar's own", 1, ActBy::kArgmax, "minatar/freeway"),
            "MinAtar's own");
}

TEST(EvaluationRecordTest, TheWayOfActingIsReadBackAndIsArgmaxWhereNobodyRecordedIt) {
  EvaluationRecord record;
  record.environment = "classic/catch";
  record.result.protocol = "epsilon-0.05 with sampled actions instead of epsilon 0.05";
  record.result.act = ActBy::kSample;
  record.result.returns = {1};
  const std::string text = EncodeEvaluation(record);
  const EvaluationRecord read = DecodeEvaluation(text).value();
  EXPECT_EQ(read.result.act, ActBy::kSample);
  EXPECT_EQ(read.result.protocol, record.result.protocol);

  auto json = ParseJson<nlohmann::ordered_json>(text);
  json["act"] = "guess";
  EXPECT_THAT(std::string(DecodeEvaluation(DumpJson(json)).status().message()),
              testing::HasSubstr("act is 'guess'; expected sample or argmax"));
  json.erase("act");
  json["protocol"] = "greedy";
  EXPECT_EQ(DecodeEvaluation(DumpJson(json))->result.act, ActBy::kArgmax);
  EXPECT_EQ(DecodeEvaluation(DumpJson(json))->result.protocol, "greedy");
}

TEST(EvaluationRecordTest, StickyActionsAreThoseOfTheGameThatWasPlayed) {
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

EvaluationResult Of(const std::string& game, std::vector<double> returns) {
  EvaluationResult result;
  result.game = game;
  result.protocol = "greedy";
  result.sticky_actions = 0.1;
  result.steps = 7;
  result.returns = std::move(returns);
  result.summary = SummariseReturns(result.returns);
  return result;
}

TEST(EvaluationRecordTest, SeveralGamesComeBackEachWithItsReturns) {
  EvaluationRecord record;
  record.environment = "minatar/breakout,minatar/asterix";
  record.frames = 500;
  record.result = Of("", {0.5, 1.5});
  record.result.aggregate = "mean of both";
  record.result.games = {Of("minatar/breakout", {1, 3}), Of("minatar/asterix", {10, 20})};
  record.context.emplace();
  record.context->last = record.result;
  record.context->last->games[1] = Of("minatar/asterix", {4, 4});
  const EvaluationRecord read = DecodeEvaluation(EncodeEvaluation(record)).value();
  EXPECT_EQ(read.result.summary.mean, 1);
  EXPECT_EQ(read.result.aggregate, "mean of both");
  ASSERT_EQ(read.result.games.size(), 2u);
  EXPECT_EQ(read.result.games[0].game, "minatar/breakout");
  EXPECT_EQ(read.result.games[1].summary.mean, 15);
  EXPECT_EQ(read.result.games[1].sticky_actions, 0.1);
  EXPECT_EQ(read.context->last->games[1].summary.mean, 4);
  const EvaluationRecord asterix = RecordOfGame(read, 1);
  EXPECT_EQ(asterix.environment, "minatar/asterix");
  EXPECT_EQ(asterix.result.summary.mean, 15);
  EXPECT_EQ(asterix.context->last->summary.mean, 4);
  EXPECT_EQ(DescribeScore(read.result), "1.00 +- 0.50 (protocol greedy, 2 episodes a game)");
  EXPECT_THAT(DescribeGames(read.result),
              testing::ElementsAre(testing::HasSubstr("minatar/breakout      2.00 +- 1.00"),
                                   testing::HasSubstr("minatar/asterix      15.00 +- 5.00")));

  auto json = ParseJson<nlohmann::ordered_json>(EncodeEvaluation(record));
  json["games"][0].erase("returns");
  EXPECT_TRUE(absl::IsDataLoss(DecodeEvaluation(DumpJson(json)).status()));
}

}  // namespace
}  // namespace gorila
