#include "gorila/learner/learner.h"

#include "gorila/learner/learner_testing.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(LearnerTest, PushesTheGradientOfTheConfiguredLoss) {
  for (const std::string_view algorithm : {"dqn", "double_dqn"}) {
    for (const TdErrorLoss loss : {TdErrorLoss::kSquared, TdErrorLoss::kHuber}) {
      for (const BatchReduction reduction : {BatchReduction::kMean, BatchReduction::kSum}) {
        LearnerOptions options = Options();
        options.agent.algorithm = algorithm;
        options.agent.loss = loss;
        options.agent.reduction = reduction;
        store_.gradients.clear();
        const auto learner = Make(options);
        ASSERT_TRUE(learner->Step().ok());
        double expected_loss = 0;
        const std::vector<double> expected = ExpectedGradient(options, expected_loss);
        ASSERT_THAT(store_.gradients, SizeIs(1));
        for (std::size_t i = 0; i < kSize; ++i) {
          EXPECT_NEAR(store_.gradients[0][i], expected[i], 1e-6 * (1 + std::abs(expected[i])))
              << algorithm << ", element " << i;
        }
        EXPECT_NEAR(learner->counters().loss, expected_loss, 1e-6 * expected_loss);
      }
    }
  }
}

TEST_F(LearnerTest, WatchesValuesAndGradientNorms) {
  const auto learner = Make(Options());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(learner->Step().ok());
  double squares = 0;
  for (const float value : store_.gradients[0]) squares += static_cast<double>(value * value);
  double mean = 0;
  double most = -std::numeric_limits<double>::infinity();
  const std::vector<float> states = Floats(replay_.batch.s_tm1);
  for (std::size_t i = 0; i < kBatch; ++i) {
    const float* const state = &states[i * kInputs];
    const double value = std::max(Q(store_.theta, state, 0), Q(store_.theta, state, 1));
    mean += value / kBatch;
    most = std::max(most, value);
  }
  const LearnerStatistics seen = learner->TakeStatistics();
  EXPECT_EQ(seen.batches, 20);
  EXPECT_EQ(seen.norms, 2) << "of every 16th gradient, from the first on";
  EXPECT_NEAR(seen.MeanNorm(), std::sqrt(squares), 1e-6);
  EXPECT_NEAR(seen.MeanValue(), mean, 1e-6);
  EXPECT_NEAR(seen.value_max, most, 1e-6);
  EXPECT_EQ(learner->TakeStatistics().batches, 0);
}

TEST_F(LearnerTest, CountsTheUpdatesThatItsGradientsLacked) {
  const auto learner = Make(Options());
  store_.updates_at_push = 1;
  ASSERT_TRUE(learner->Step().ok());
  store_.updates_at_push = 4;
  ASSERT_TRUE(learner->Step().ok());
  const LearnerStatistics seen = learner->TakeStatistics();
  EXPECT_EQ(seen.lags, 2);
  EXPECT_EQ(seen.lag_sum, 0 + 3);
}

TEST_F(LearnerTest, RareTransitionsWeighMoreByTheImportanceExponent) {
  for (int i = 0; i < kBatch; ++i) {
    replay_.batch.probabilities[static_cast<std::size_t>(i)] = 0.01 * (i + 1);
  }
  for (const double exponent : {0.0, 0.4, 1.0}) {
    LearnerOptions options = Options();
    options.importance_exponent = exponent;
    store_.gradients.clear();
    const auto learner = Make(options);
    ASSERT_TRUE(learner->Step().ok());
    double loss = 0;
    const std::vector<double> expected = ExpectedGradient(options, loss);
    for (std::size_t i = 0; i < kSize; ++i) {
      EXPECT_NEAR(store_.gradients[0][i], expected[i], 1e-6 * (1 + std::abs(expected[i])));
    }
    EXPECT_NEAR(learner->counters().loss, loss, 1e-6 * loss);
  }
}

TEST_F(LearnerTest, TheImportanceExponentFollowsTheServersUpdatesToItsEnd) {
  for (int i = 0; i < kBatch; ++i) {
    replay_.batch.probabilities[static_cast<std::size_t>(i)] = 0.01 * (i + 1);
  }
  LearnerOptions options = Options();
  options.importance_exponent_end = 1;
  options.importance_updates = 8;
  // Half-way at version 4; beyond the end it stays.
  for (const auto& [version, exponent] : {std::pair(0, 0.4), {4, 0.7}, {8, 1.0}, {90, 1.0}}) {
    store_.version = version;
    store_.gradients.clear();
    ASSERT_TRUE(Make(options)->Step().ok());
    LearnerOptions fixed = Options();
    fixed.importance_exponent = exponent;
    ASSERT_TRUE(Make(fixed)->Step().ok());
    for (std::size_t i = 0; i < kSize; ++i) {
      EXPECT_NEAR(store_.gradients[0][i], store_.gradients[1][i], 1e-6) << version;
    }
  }
}

TEST_F(LearnerTest, LongGradientsAreScaledToTheLimitAndShortOnesLeftAlone) {
  ASSERT_TRUE(Make(Options())->Step().ok());
  const std::vector<float> whole = store_.gradients[0];
  double squares = 0;
  for (const float value : whole) squares += static_cast<double>(value * value);
  const double norm = std::sqrt(squares);
  LearnerOptions options = Options();
  options.gradient_norm = norm / 4;
  const auto learner = Make(options);
  ASSERT_TRUE(learner->Step().ok());
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_NEAR(store_.gradients[1][i], whole[i] / 4, 1e-6) << i;
  }
  EXPECT_NEAR(learner->TakeStatistics().MeanNorm(), norm, 1e-6) << "as it was before";
  options.gradient_norm = norm * 1.01;
  ASSERT_TRUE(Make(options)->Step().ok());
  EXPECT_EQ(store_.gradients[2], whole);
}

TEST_F(LearnerTest, TellsTheReplayItsAbsoluteErrors) {
  LearnerOptions options = Options();
  options.agent.loss = TdErrorLoss::kSquared;
  const auto learner = Make(options);
  ASSERT_TRUE(learner->Step().ok());
  ASSERT_THAT(replay_.told, SizeIs(1));
  double sum_of_squares = 0;
  for (const float error : replay_.told[0]) {
    EXPECT_GE(error, 0);
    sum_of_squares += static_cast<double>(error) * static_cast<double>(error);
  }
  EXPECT_NEAR(sum_of_squares / kBatch, learner->counters().loss, 1e-5);
  store_.theta[0] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(learner->Step().ok());
  EXPECT_THAT(replay_.told, SizeIs(1)) << "errors that are no numbers are kept back";
}

TEST_F(LearnerTest, GradientsCarryTheVersionsTheyWereComputedFrom) {
  const auto learner = Make(Options());
  ASSERT_TRUE(learner->Step().ok());
  store_.version = 11;
  ASSERT_TRUE(learner->Step().ok());
  EXPECT_THAT(store_.pushed_versions, ElementsAre(ElementsAre(4, 5), ElementsAre(11, 12)));
}

TEST_F(LearnerTest, NeverAppliesItsGradientToItsOwnReplicas) {
  const auto learner = Make(Options());
  ASSERT_TRUE(learner->Step().ok());
  const std::vector<float> online = Predict(online_.network());
  const std::vector<float> target = Predict(learner->target().network());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(learner->Step().ok());
  EXPECT_EQ(Predict(online_.network()), online);
  EXPECT_EQ(Predict(learner->target().network()), target);
  for (const std::vector<float>& gradient : store_.gradients) {
    EXPECT_EQ(gradient, store_.gradients[0]);
  }
  store_.theta[0] += 1;  // only the server's parameters change the replica's
  ASSERT_TRUE(learner->Step().ok());
  EXPECT_NE(Predict(online_.network()), online);
  EXPECT_EQ(Predict(learner->target().network()), target);
}

TEST_F(LearnerTest, CountsWhatBecameOfItsSlices) {
  const auto learner = Make(Options());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(learner->Step().ok());
  EXPECT_EQ(learner->counters().gradients, 3);
  EXPECT_EQ(learner->counters().outliers, 0);
  EXPECT_EQ(learner->counters().slices.accepted, 3);
  EXPECT_EQ(learner->counters().slices.stale, 3);
  EXPECT_EQ(learner->counters().slices.invalid, 0);
}

TEST_F(LearnerTest, OutliersAreCountedAndNotPushed) {
  LearnerOptions options = Options();
  options.outliers = {.deviations = 6, .averaging = 0.99, .warm_up = 10};
  const auto learner = Make(options);
  const std::vector<float> usual = replay_.batch.r_t;
  for (int i = 0; i < 20; ++i) {
    replay_.batch.r_t[0] = usual[0] + 0.01F * static_cast<float>(i % 3);
    ASSERT_TRUE(learner->Step().ok());
  }
  ASSERT_THAT(store_.gradients, SizeIs(20));
  const double loss = learner->counters().loss;
  replay_.batch.r_t[0] = 1e6F;
  ASSERT_TRUE(learner->Step().ok());
  EXPECT_THAT(store_.gradients, SizeIs(20));
  EXPECT_EQ(learner->counters().gradients, 21);
  EXPECT_EQ(learner->counters().outliers, 1);
  EXPECT_EQ(learner->counters().loss, loss) << "of the gradients that were sent";
  replay_.batch.r_t = usual;
  ASSERT_TRUE(learner->Step().ok());
  EXPECT_THAT(store_.gradients, SizeIs(21));
}

// Its errors are large, so it would be drawn most often, and discarded each time.
TEST_F(LearnerTest, WhatIsNotLearnedFromIsNotDrawnMoreOften) {
  LearnerOptions options = Options();
  options.outliers = {.deviations = 6, .averaging = 0.99, .warm_up = 10};
  options.agent.loss = TdErrorLoss::kSquared;
  const auto learner = Make(options);
  const std::vector<float> usual = replay_.batch.r_t;
  for (int i = 0; i < 20; ++i) {
    replay_.batch.r_t[0] = usual[0] + 0.01F * static_cast<float>(i % 3);
    ASSERT_TRUE(learner->Step().ok());
  }
  ASSERT_THAT(replay_.told, SizeIs(20));
  replay_.batch.r_t[0] = 1e6F;
  ASSERT_TRUE(learner->Step().ok());
  EXPECT_EQ(learner->counters().outliers, 1);
  ASSERT_THAT(replay_.told, SizeIs(21));
  std::vector<float> usual_errors(replay_.told[19].begin() + 1, replay_.told[19].end());
  std::sort(usual_errors.begin(), usual_errors.end());
  EXPECT_EQ(replay_.told[20][0], usual_errors[2]) << "the others' median, not its own 1e6";
  for (std::size_t i = 1; i < kBatch; ++i) {
    EXPECT_EQ(replay_.told[20][i], std::min(replay_.told[19][i], usual_errors[2])) << i;
  }

  options.outliers.deviations = 0;
  const auto without_filter = Make(options);
  replay_.batch.r_t[0] = 1e30F;
  ASSERT_TRUE(without_filter->Step().ok());
  EXPECT_THAT(store_.gradients, SizeIs(21)) << "sent, so that the shards count it";
  EXPECT_THAT(replay_.told, SizeIs(21)) << "no shard takes squares that are not finite";
}

TEST_F(LearnerTest, ShowsTheMeanLossOfTheGradientsItSent) {
  const auto learner = Make(Options());
  double first_loss = 0;
  double second_loss = 0;
  ExpectedGradient(Options(), first_loss);
  ASSERT_TRUE(learner->Step().ok());
  EXPECT_NEAR(learner->counters().loss, first_loss, 1e-6 * first_loss);
  for (float& reward : replay_.batch.r_t) reward += 3;
  ExpectedGradient(Options(), second_loss);
  ASSERT_TRUE(learner->Step().ok());
  const double mean = (first_loss + second_loss) / 2;
  EXPECT_NEAR(learner->counters().loss, mean, 1e-6 * mean);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(learner->Step().ok());
  EXPECT_NEAR(learner->counters().loss, second_loss, 1e-6 * second_loss) << "the past fades";
}

TEST_F(LearnerTest, ErrorsOfReplayAndStoreReachTheCaller) {
  const auto learner = Make(Options());
  replay_.failure = absl::UnavailableError("no replay");
  EXPECT_EQ(learner->Step(), replay_.failure);
  EXPECT_EQ(learner->counters().gradients, 0);
  replay_.failure = OkStatus();
  store_.failure = absl::UnavailableError("no store");
  EXPECT_EQ(learner->Step(), store_.failure);
  EXPECT_THAT(store_.gradients, IsEmpty());
}

TEST_F(LearnerTest, UnknownAlgorithmIsRefused) {
  LearnerOptions options = Options();
  options.agent.algorithm = "srasa";
  auto target =
      std::make_unique<NetworkReplica>(MakeQNetwork("reference", Linear(), kBatch).value(), store_,
                                       NetworkReplica::Follows::kTarget);
  EXPECT_TRUE(absl::IsInvalidArgument(
      Learner::Make(options, online_, std::move(target), replay_, store_, RandomStream(3))
          .status()));
}

TEST_F(LearnerTest, ARestoredLearnerKeepsCountersAndFilter) {
  LearnerOptions options = Options();
  options.outliers = {.deviations = 6, .averaging = 0.99, .warm_up = 10};
  const auto learner = Make(options);
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(learner->Step().ok());
  StateWriter writer;
  learner->SaveState(writer);
  const auto restored = Make(options);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored->RestoreState(reader).ok());
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(restored->counters().gradients, 15);
  EXPECT_EQ(restored->counters().slices.accepted, 15);
  EXPECT_EQ(restored->counters().loss, learner->counters().loss);
  replay_.batch.r_t[0] = 1e6F;
  ASSERT_TRUE(restored->Step().ok());
  EXPECT_EQ(restored->counters().outliers, 1) << "it is still warm";
  StateReader truncated(std::string_view(writer.bytes()).substr(0, 30));
  EXPECT_TRUE(absl::IsDataLoss(restored->RestoreState(truncated)));
}

}  // namespace
}  // namespace gorila
