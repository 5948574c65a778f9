// A learner with a linear network on three inputs, whose gradient is written down here.
#include "gorila/learner/learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "gorila/base/random.h"
#include "gorila/network/q_network.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kInputs = 3;
constexpr std::size_t kActions = 2;
constexpr std::size_t kWeights = kActions * kInputs;
constexpr std::size_t kSize = kWeights + kActions;  // and the biases
constexpr int kBatch = 6;

NetworkSpec Linear() {
  return {.input = {.channels = static_cast<int>(kInputs), .element = ElementType::kFloat32},
          .convolutions = {},
          .hidden = {},
          .num_actions = static_cast<int>(kActions)};
}

// Serves fixed parameters of one version and keeps what is pushed.
class FakeStore final : public ParameterStore {
 public:
  explicit FakeStore(RandomStream& random) : theta(kSize), theta_minus(kSize) {
    for (float& value : theta) value = static_cast<float>(2 * random.Uniform() - 1);
    for (float& value : theta_minus) value = static_cast<float>(2 * random.Uniform() - 1);
  }

  std::size_t size() const override { return kSize; }
  int num_shards() const override { return 2; }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override {
    std::copy(theta.begin(), theta.end(), values.begin());
    versions = {version, version + 1};
    return true;
  }
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    std::copy(theta_minus.begin(), theta_minus.end(), values.begin());
    versions = {0, 0};
    return true;
  }
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override {
    if (!failure.ok()) return failure;
    gradients.emplace_back(gradient.begin(), gradient.end());
    pushed_versions.push_back(versions);
    version += updates_at_push;
    return PushOutcome{.accepted = 1, .stale = 1, .invalid = 0};
  }
  std::int64_t UpdateCount() const override { return version; }

  std::vector<float> theta;
  std::vector<float> theta_minus;
  std::int64_t version = 4;
  std::int64_t updates_at_push = 0;  // the gradient's own, and those of others before it
  std::vector<std::vector<float>> gradients;
  std::vector<ShardVersions> pushed_versions;
  Status failure;  // what Push returns
};

// Always gives the same minibatch.
class FakeReplay final : public Replay {
 public:
  explicit FakeReplay(RandomStream& random) {
    batch.size = kBatch;
    for (std::pmr::vector<std::byte>* states : {&batch.s_tm1, &batch.s_t}) {
      std::vector<float> values(kBatch * kInputs);
      for (float& value : values) value = static_cast<float>(2 * random.Uniform() - 1);
      const auto bytes = std::as_bytes(std::span(values));
      states->assign(bytes.begin(), bytes.end());
    }
    for (int i = 0; i < kBatch; ++i) {
      batch.a_tm1.push_back(random.Integer(0, static_cast<int>(kActions)));
      batch.r_t.push_back(static_cast<float>(4 * random.Uniform() - 2));
      batch.discount_t.push_back(i == 2 ? 0 : 0.9F);
      batch.keys.push_back(100 + static_cast<std::uint64_t>(i));
      batch.probabilities.push_back(0.125);
    }
  }

  Status Insert(int, const ReplayRow&) override { return OkStatus(); }
  bool CanSample() const override { return true; }
  Status Sample(int size, TransitionBatch& sampled) override {
    if (!failure.ok()) return failure;
    EXPECT_EQ(size, kBatch);
    sampled = batch;
    return OkStatus();
  }
  Status UpdatePriorities(const TransitionBatch& sampled,
                          std::span<const float> td_errors) override {
    EXPECT_EQ(sampled.keys, batch.keys);
    told.emplace_back(td_errors.begin(), td_errors.end());
    return OkStatus();
  }
  ReplaySize Size() const override { return {}; }

  std::vector<std::vector<float>> told;  // TD errors
  TransitionBatch batch;
  Status failure;  // what Sample returns
};

std::vector<float> Floats(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

double Q(const std::vector<float>& theta, const float* state, std::size_t action) {
  double q = static_cast<double>(theta[kWeights + action]);
  for (std::size_t k = 0; k < kInputs; ++k) {
    q += static_cast<double>(theta[action * kInputs + k]) * static_cast<double>(state[k]);
  }
  return q;
}

class LearnerTest : public testing::Test {
 protected:
  std::unique_ptr<Learner> Make(const LearnerOptions& options) {
    auto target =
        std::make_unique<NetworkReplica>(MakeQNetwork("reference", Linear(), kBatch).value(),
                                         store_, NetworkReplica::Follows::kTarget);
    return Learner::Make(options, online_, std::move(target), replay_, store_, RandomStream(3))
        .value();
  }

  static LearnerOptions Options() {
    return {.agent = {.algorithm = "dqn"}, .batch_size = kBatch, .outliers = {.deviations = 0}};
  }

  // The gradient and mean loss by their definition.
  std::vector<double> ExpectedGradient(const LearnerOptions& options, double& loss) const {
    const std::vector<float> s_tm1 = Floats(replay_.batch.s_tm1);
    const std::vector<float> s_t = Floats(replay_.batch.s_t);
    const std::vector<double>& probabilities = replay_.batch.probabilities;
    std::vector<double> gradient(kSize);
    loss = 0;
    for (std::size_t i = 0; i < kBatch; ++i) {
      const float* const before = &s_tm1[i * kInputs];
      const float* const after = &s_t[i * kInputs];
      const bool dqn = options.agent.algorithm == "dqn";
      const std::vector<float>& chooser = dqn ? store_.theta_minus : store_.theta;
      const std::size_t best = Q(chooser, after, 1) > Q(chooser, after, 0) ? 1 : 0;
      const auto action = static_cast<std::size_t>(replay_.batch.a_tm1[i]);
      const double delta =
          static_cast<double>(replay_.batch.r_t[i]) +
          static_cast<double>(replay_.batch.discount_t[i]) * Q(store_.theta_minus, after, best) -
          Q(store_.theta, before, action);
      const bool squared = options.agent.loss == TdErrorLoss::kSquared;
      const double least = *std::min_element(probabilities.begin(), probabilities.end());
      const double weight = std::pow(least / probabilities[i], options.importance_exponent);
      loss += weight *
              (squared               ? delta * delta
               : std::abs(delta) < 1 ? delta * delta / 2
                                     : std::abs(delta) - 0.5) /
              kBatch;
      double slope = squared ? 2 * delta : std::clamp(delta, -1.0, 1.0);
      slope *= weight;
      if (options.agent.reduction == BatchReduction::kMean) slope /= kBatch;
      for (std::size_t k = 0; k < kInputs; ++k) {
        gradient[action * kInputs + k] -= slope * static_cast<double>(before[k]);
      }
      gradient[kWeights + action] -= slope;
    }
    return gradient;
  }

  std::vector<float> Predict(QNetwork& network) {
    std::vector<float> q(kBatch * kActions);
    network.Predict(replay_.batch.s_tm1, kBatch, q);
    return q;
  }

  RandomStream random_{19};
  FakeStore store_{random_};
  FakeReplay replay_{random_};
  NetworkReplica online_{MakeQNetwork("reference", Linear(), kBatch).value(), store_,
                         NetworkReplica::Follows::kOnline};
};

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
