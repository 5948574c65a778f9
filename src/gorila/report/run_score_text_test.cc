#include "gorila/report/run_score_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/report/evaluation_record.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

EvaluationResult Returns(std::vector<double> returns) {
  EvaluationResult result;
  result.protocol = "greedy";
  result.returns = std::move(returns);
  result.summary = SummariseReturns(result.returns);
  return result;
}

ScoreContext Training(double first, double highest, double last) {
  ScoreContext context;
  context.first_training_return = first;
  context.highest_training_return = highest;
  context.training_return = last;
  return context;
}

// Freeway with the defaults: one of 24 networks held "up" by chance.
TEST(ScoreWarningsTest, TheBestOfManyThatNothingElseAgreesWithMayBeLuck) {
  ScoreContext context = Training(0, 0, 0);
  context.evaluations = 24;
  context.last = Returns({0, 0, 0, 0});
  EXPECT_THAT(ScoreWarnings(Returns({23, 24, 23, 24}), context),
              ElementsAre("the last network scores far less: the best may be luck",
                          "training never returned above 0.00: the score may be luck"));
}

TEST(ScoreWarningsTest, AScoreThatTrainingGrewTowardsIsBelieved) {
  ScoreContext context = Training(-0.6, 0.7, 0.7);
  context.evaluations = 4;
  context.last = Returns({0.8, 1, 1, 1});
  EXPECT_THAT(ScoreWarnings(Returns({1, 1, 0.8, 1}), context), IsEmpty());
}

// An agent that still explores much while it trains.
TEST(ScoreWarningsTest, ALastNetworkThatAgreesSpeaksForTheScore) {
  ScoreContext context = Training(-0.6, -0.3, -0.3);
  context.evaluations = 3;
  context.last = Returns({1, 1, 1, 1});
  EXPECT_THAT(ScoreWarnings(Returns({1, 1, 1, 1}), context), IsEmpty());
}

// A short run: the network plays well, and no training episode shows it yet.
TEST(ScoreWarningsTest, TrainingThatActsMostlyAtRandomContradictsNothing) {
  ScoreContext context = Training(-0.6, -0.5, -0.5);
  context.evaluations = 3;
  EvaluationResult score = Returns({1, 1, 1, 0.9});
  for (const double epsilon : {0.9, 0.5, 0.3}) {
    context.training_epsilon = epsilon;
    EXPECT_THAT(ScoreWarnings(score, context), IsEmpty()) << epsilon;
  }
  const auto luck = ElementsAre("training never returned above -0.50: the score may be luck");
  for (const double epsilon : {0.2, 0.01, std::nan("")}) {
    context.training_epsilon = epsilon;
    EXPECT_THAT(ScoreWarnings(score, context), luck) << epsilon;
  }
  // The scored agent acted at random nearly as often.
  context.training_epsilon = 0.6;
  score.epsilon = 0.5;
  EXPECT_THAT(ScoreWarnings(score, context), luck);
}

TEST(ScoreWarningsTest, ALastNetworkThatIsBetterThanTheBestIsSaid) {
  ScoreContext context = Training(1, 5, 5);
  context.evaluations = 2;
  context.last = Returns({5, 6, 5, 6});
  EXPECT_THAT(ScoreWarnings(Returns({3, 3, 4, 3}), context),
              ElementsAre("the last network scores more than the best of the evaluations"));
}

TEST(ScoreWarningsTest, ALastNetworkFarBelowItsTrainingIsSaid) {
  EXPECT_THAT(ScoreWarnings(Returns({0, 0, 1, 0}), Training(1, 12, 10)),
              ElementsAre("training returned 10.00: the score is far below"));
}

TEST(ScoreWarningsTest, WhatIsUnknownContradictsNothing) {
  ScoreContext context;
  context.evaluations = 3;
  EXPECT_THAT(ScoreWarnings(Returns({5}), context), IsEmpty());
}

TEST(ScoreContextTest, ARecordKeepsWhatTheScoreIsToBeReadWith) {
  EvaluationRecord record{.environment = "minatar/freeway",
                          .seed = 7,
                          .frames = 480000,
                          .result = Returns({23, 24}),
                          .context = Training(0, 0.5, 0.25)};
  record.context->evaluations = 24;
  record.context->skipped = 3;
  record.context->last = Returns({0, 1});
  record.context->last_frames = 500000;
  record.context->training_epsilon = 0.125;
  record.context->problem = "the run diverged";
  const EvaluationRecord read = DecodeEvaluation(EncodeEvaluation(record)).value();
  ASSERT_TRUE(read.context.has_value());
  EXPECT_EQ(read.context->evaluations, 24);
  EXPECT_EQ(read.context->skipped, 3);
  EXPECT_THAT(read.context->last->returns, ElementsAre(0, 1));
  EXPECT_EQ(read.context->last->summary.mean, 0.5);
  EXPECT_EQ(read.context->last_frames, 500000);
  EXPECT_EQ(read.context->highest_training_return, 0.5);
  EXPECT_EQ(read.context->training_epsilon, 0.125);
  EXPECT_EQ(read.context->problem, "the run diverged");
  EXPECT_EQ(EncodeEvaluation(read), EncodeEvaluation(record));
}

TEST(ScoreContextTest, ARecordOfAnOlderVersionHasNone) {
  EvaluationRecord old;
  old.environment = "classic/catch";
  old.result = Returns({1});
  EXPECT_FALSE(DecodeEvaluation(EncodeEvaluation(old)).value().context.has_value());
}

}  // namespace
}  // namespace gorila
