// A learner of unrolls with the real parts beside it: a queue of unrolls, a network with a policy
// and a value head, and a shard that steps by the gradient itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "gorila/agent/algorithm.h"
#include "gorila/learner/learner.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/replay/local_replay.h"

namespace gorila {
namespace {

constexpr int kInputs = 3;
constexpr int kActions = 2;
constexpr int kOutputs = kActions + 1;
constexpr int kBatch = 4;
constexpr int kUnroll = 5;
constexpr int kRows = kBatch * kUnroll;  // of a minibatch
constexpr int kStates = kBatch * (kUnroll + 1);

LearnerOptions Options() {
  return {.agent = {.algorithm = "vtrace", .unroll = kUnroll},
          .batch_size = kBatch,
          .outliers = {.deviations = 0}};
}

NetworkSpec Network(const AgentOptions& agent) {
  NetworkSpec spec{.input = {.channels = kInputs, .element = ElementType::kFloat32},
                   .convolutions = {},
                   .hidden = {6},
                   .num_actions = kActions};
  FindAlgorithm(agent.algorithm).value()->describe(agent, spec);
  return spec;
}

std::unique_ptr<QNetwork> MakeNetwork(const AgentOptions& agent) {
  return MakeQNetwork("reference", Network(agent), kStates).value();
}

// One stream of random play, the same for equal seeds. Episodes end within unrolls, by turns at a
// terminal and at a time limit.
class Play {
 public:
  explicit Play(std::uint64_t seed) : random_(seed) {}

  void Insert(int rows, Replay& replay, float reward_scale = 1) {
    for (int i = 0; i < rows; ++i, ++row_) {
      constexpr int kEpisode = 8;  // rows
      const std::int64_t step = row_ % kEpisode;
      std::array<float, kInputs> frame{};
      for (float& value : frame) value = static_cast<float>(2 * random_.Uniform() - 1);
      TimeStep time_step{.step_type = step == 0 ? StepType::kFirst : StepType::kMid};
      if (step == kEpisode - 1) time_step.step_type = StepType::kLast;
      const bool terminal = time_step.last() && row_ / kEpisode % 2 == 0;
      time_step.reward =
          step == 0 ? 0 : reward_scale * static_cast<float>(2 * random_.Uniform() - 1);
      time_step.discount = terminal ? 0 : 1;
      ASSERT_TRUE(replay
                      .Insert(0, {.frame = std::as_bytes(std::span(frame)),
                                  .time_step = time_step,
                                  .action = random_.Integer(0, kActions),
                                  .log_probability = static_cast<float>(-2 * random_.Uniform())})
                      .ok());
    }
  }

 private:
  RandomStream random_;
  std::int64_t row_ = 0;
};

std::unique_ptr<LocalReplay> MakeQueue(const ObservationSpec& observation) {
  return LocalReplay::Make({.capacity = 4000,
                            .transition = {.unroll = kUnroll, .discount = 0.9},
                            .selector = {.name = "queue", .minibatch = kBatch}},
                           observation, 1, RandomStream(1))
      .value();
}

// Counts what a learner without theta- must not do.
class WatchedStore final : public ParameterStore {
 public:
  explicit WatchedStore(ParameterStore& inner) : inner_(inner) {}
  std::size_t size() const override { return inner_.size(); }
  int num_shards() const override { return inner_.num_shards(); }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override {
    return inner_.Pull(values, versions);
  }
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    ++target_pulls;
    return inner_.PullTarget(values, versions);
  }
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override {
    return inner_.Push(gradient, versions);
  }
  std::int64_t UpdateCount() const override { return inner_.UpdateCount(); }

  int target_pulls = 0;

 private:
  ParameterStore& inner_;
};

// A learner, and beside it what it is about to learn from.
class Rig {
 public:
  explicit Rig(const LearnerOptions& options, double learning_rate = 1)
      : options_(options),
        network_(MakeNetwork(options.agent)),
        replay_(MakeQueue(network_->spec().input)),
        twin_(MakeQueue(network_->spec().input)) {
    RandomStream random(5);
    store_ = InProcessParameterStore::Make(
                 {.optimizer = {.name = "sgd", .learning_rate = learning_rate}}, 1,
                 InitialParameters(network_->layout(), random))
                 .value();
    watched_ = std::make_unique<WatchedStore>(*store_);
    online_ = std::make_unique<NetworkReplica>(MakeNetwork(options.agent), *watched_,
                                               NetworkReplica::Follows::kOnline);
    learner_ =
        Learner::Make(options, *online_, nullptr, *replay_, *watched_, RandomStream(3)).value();
  }

  // Rows into the learner's queue, and the same into the other.
  void Insert(int rows, float reward_scale = 1) {
    play_.Insert(rows, *replay_, reward_scale);
    twin_play_.Insert(rows, *twin_, reward_scale);
  }

  std::vector<float> Parameters() {
    std::vector<float> values(store_->size());
    ShardVersions versions = {-1};
    EXPECT_TRUE(store_->Pull(values, versions).ok());
    return values;
  }

  // The next minibatch, with the network's outputs for its states, and the gradient of its loss.
  struct Expected {
    TransitionBatch batch;
    std::vector<float> outputs;
    std::vector<float> gradient;
    double loss = 0;
  };
  Expected Next() {
    Expected next;
    EXPECT_TRUE(twin_->Sample(kBatch, next.batch).ok());
    network_->SetParameters(Parameters());
    const auto loss = FindAlgorithm("vtrace").value()->make_loss(options_.agent, network_->spec(),
                                                                 options_.batch_size);
    RandomStream random(1);
    const std::vector<float> weights(kBatch, 1);
    std::vector<float> doutputs(kStates * kOutputs);
    std::vector<float> errors(kBatch);
    next.loss = loss->Compute({*network_, nullptr, next.batch, weights, random}, doutputs, errors);
    next.gradient.resize(store_->size());
    network_->Backward(doutputs, next.gradient);
    next.outputs.resize(kStates * kOutputs);
    network_->Predict(next.batch.s_tm1, kStates, next.outputs);
    return next;
  }

  Learner& learner() { return *learner_; }
  WatchedStore& store() { return *watched_; }

 private:
  const LearnerOptions options_;
  const std::unique_ptr<QNetwork> network_;
  const std::unique_ptr<LocalReplay> replay_;
  const std::unique_ptr<LocalReplay> twin_;
  Play play_{7};
  Play twin_play_{7};
  std::unique_ptr<InProcessParameterStore> store_;
  std::unique_ptr<WatchedStore> watched_;
  std::unique_ptr<NetworkReplica> online_;
  std::unique_ptr<Learner> learner_;
};

double Norm(std::span<const float> values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

// What one step changed the parameters by is the gradient, with a step size of one.
void ExpectStep(const std::vector<float>& before, const std::vector<float>& after,
                std::span<const float> gradient, double scale) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double step = static_cast<double>(before[i]) - static_cast<double>(after[i]);
    const double expected = scale * static_cast<double>(gradient[i]);
    EXPECT_NEAR(step, expected, 1e-5 * (1 + std::abs(expected))) << i;
  }
}

TEST(VTraceLearnerTest, PushesTheGradientOfTheLossOfItsUnrolls) {
  for (const BatchReduction reduction : {BatchReduction::kSum, BatchReduction::kMean}) {
    LearnerOptions options = Options();
    options.agent.reduction = reduction;
    Rig rig(options);
    for (int minibatch = 0; minibatch < 3; ++minibatch) {
      rig.Insert(kRows + 1);
      const std::vector<float> before = rig.Parameters();
      const Rig::Expected expected = rig.Next();
      ASSERT_EQ(expected.batch.states(), kStates);
      ASSERT_GT(Norm(expected.gradient), 0.01);
      const double loss = rig.learner().counters().loss;
      ASSERT_TRUE(rig.learner().Step().ok());
      ExpectStep(before, rig.Parameters(), expected.gradient, 1);
      EXPECT_NEAR(rig.learner().counters().loss, loss + (expected.loss - loss) / (minibatch + 1),
                  1e-6);
    }
    EXPECT_EQ(rig.store().UpdateCount(), 3);
  }
}

TEST(VTraceLearnerTest, LearnsFromEachUnrollOnce) {
  Rig rig(Options());
  rig.Insert(2 * kRows + 1);
  ASSERT_TRUE(rig.learner().Step().ok());
  ASSERT_TRUE(rig.learner().Step().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(rig.learner().Step()));
  EXPECT_EQ(rig.learner().counters().gradients, 2);
  EXPECT_EQ(rig.learner().counters().slices.accepted, 2);
}

TEST(VTraceLearnerTest, NeverPullsTheTargetParameters) {
  Rig rig(Options());
  rig.Insert(2 * kRows + 1);
  ASSERT_TRUE(rig.learner().RefreshTarget().ok());
  ASSERT_TRUE(rig.learner().Step().ok());
  ASSERT_TRUE(rig.learner().Step().ok());
  EXPECT_EQ(rig.store().target_pulls, 0);
}

TEST(VTraceLearnerTest, LongGradientsAreScaledToTheLimit) {
  LearnerOptions options = Options();
  options.gradient_norm = 0.01;
  Rig rig(options);
  rig.Insert(kRows + 1);
  const std::vector<float> before = rig.Parameters();
  const std::vector<float> whole = rig.Next().gradient;
  ASSERT_TRUE(rig.learner().Step().ok());
  ExpectStep(before, rig.Parameters(), whole, options.gradient_norm / Norm(whole));
  EXPECT_NEAR(rig.learner().TakeStatistics().MeanNorm(), Norm(whole), 1e-5) << "as it was before";
}

TEST(VTraceLearnerTest, OutliersAreCountedAndNotPushed) {
  LearnerOptions options = Options();
  options.outliers = {.deviations = 6, .averaging = 0.99, .warm_up = 10};
  Rig rig(options, /*learning_rate=*/1e-6);
  rig.Insert(1);  // so that all rewards of a minibatch are of the rows that complete it
  for (int i = 0; i < 20; ++i) {
    rig.Insert(kRows);
    ASSERT_TRUE(rig.learner().Step().ok());
  }
  EXPECT_EQ(rig.learner().counters().outliers, 0);
  rig.Insert(kRows, 1e6F);
  ASSERT_TRUE(rig.learner().Step().ok());
  EXPECT_EQ(rig.learner().counters().outliers, 1);
  EXPECT_EQ(rig.learner().counters().gradients, 21);
  EXPECT_EQ(rig.store().UpdateCount(), 20);
  rig.Insert(kRows);
  ASSERT_TRUE(rig.learner().Step().ok());
  EXPECT_EQ(rig.store().UpdateCount(), 21);
}

TEST(VTraceLearnerTest, WatchesTheEntropyOfThePolicyAndTheValuesOfTheFirstStates) {
  Rig rig(Options());
  rig.Insert(kRows + 1);
  const Rig::Expected next = rig.Next();
  double entropy = 0;
  double value = 0;
  int decisions = 0;
  for (std::size_t i = 0; i < kBatch; ++i) {
    value += static_cast<double>(next.outputs[i * (kUnroll + 1) * kOutputs + kActions]) / kBatch;
    for (std::size_t t = 0; t < kUnroll; ++t) {
      if (next.batch.a_tm1[i * kUnroll + t] == kNoAction) continue;
      const float* const logits = &next.outputs[(i * (kUnroll + 1) + t) * kOutputs];
      const double p = 1 / (1 + std::exp(static_cast<double>(logits[1] - logits[0])));
      entropy -= p * std::log(p) + (1 - p) * std::log(1 - p);
      ++decisions;
    }
  }
  ASSERT_LT(decisions, kRows) << "episodes end in them";
  ASSERT_TRUE(rig.learner().Step().ok());
  const LearnerStatistics seen = rig.learner().TakeStatistics();
  EXPECT_EQ(seen.entropies, 1);
  EXPECT_NEAR(seen.MeanEntropy(), entropy / decisions, 1e-6);
  EXPECT_NEAR(seen.MeanValue(), value, 1e-6);
  // The loss is a mean over all rows, its terms are means over those in which something was done.
  const AgentOptions agent = Options().agent;
  EXPECT_GT(seen.MeanBaselineLoss(), 0);
  EXPECT_NEAR(rig.learner().counters().loss * static_cast<double>(next.batch.transitions()),
              decisions * (seen.MeanPolicyLoss() + agent.baseline_cost * seen.MeanBaselineLoss() -
                           agent.entropy_cost * seen.MeanEntropy()),
              1e-6);
  EXPECT_EQ(rig.learner().TakeStatistics().entropies, 0);
}

// theta- is made by those who know the algorithm, so another number of replicas is our own mistake.
TEST(VTraceLearnerDeathTest, ATargetReplicaIsThereExactlyWhereTheAlgorithmUsesIt) {
  const auto make = [](const std::string& algorithm, bool with_target) {
    LearnerOptions options = Options();
    options.agent = {.algorithm = algorithm};
    const auto network = MakeNetwork(options.agent);
    const auto store =
        InProcessParameterStore::Make({}, 1, std::vector<float>(network->layout().size)).value();
    NetworkReplica online(MakeNetwork(options.agent), *store, NetworkReplica::Follows::kOnline);
    std::unique_ptr<NetworkReplica> target;
    if (with_target) {
      target = std::make_unique<NetworkReplica>(MakeNetwork(options.agent), *store,
                                                NetworkReplica::Follows::kTarget);
    }
    const auto replay = MakeQueue(network->spec().input);
    return Learner::Make(options, online, std::move(target), *replay, *store, RandomStream(3)).ok();
  };
  EXPECT_TRUE(make("vtrace", false));
  EXPECT_TRUE(make("dqn", true));
  EXPECT_DEATH(make("vtrace", true), "vtrace");
  EXPECT_DEATH(make("dqn", false), "dqn");
}

}  // namespace
}  // namespace gorila
