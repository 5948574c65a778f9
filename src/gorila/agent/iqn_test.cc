#include "gorila/agent/iqn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gorila/agent/value_testing.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::Pointwise;

ValueForm Sampled(int count, int actions = 3) {
  return {.kind = ValueKind::kSampled, .num_actions = actions, .atoms = count};
}

std::vector<float> SomeTaus(const LossBatch& batch) {
  RandomStream random(77);
  std::vector<float> taus(batch.size() * batch.atoms());
  for (float& tau : taus) tau = static_cast<float>(random.Uniform());
  return taus;
}

// As a LossFunction: with taus that the batch's size decides.
double LossAtSomeTaus(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
                      std::span<float> errors) {
  return IqnLoss(options, batch, SomeTaus(batch), dx, errors);
}

// Dabney et al. 2018b, equations 2 and 3 with kappa = 1, in double precision.
double ExpectedLoss(const LossBatch& batch, std::span<const float> taus, std::size_t i) {
  const std::size_t best = ReferenceBest(batch.form, batch.State(batch.online_t, i));
  const std::span<const float> next = batch.State(batch.target_t, i);
  const std::span<const float> theta = batch.State(batch.online_tm1, i);
  double loss = 0;
  for (std::size_t p = 0; p < batch.atoms(); ++p) {
    const auto tau = static_cast<double>(taus[i * batch.atoms() + p]);
    for (std::size_t j = 0; j < batch.atoms(); ++j) {
      const double target = static_cast<double>(batch.r_t[i]) +
                            static_cast<double>(batch.discount_t[i]) *
                                static_cast<double>(next[j * batch.actions() + best]);
      const double u = target - static_cast<double>(theta[p * batch.actions() + batch.Taken(i)]);
      const double huber = std::abs(u) <= 1 ? u * u / 2 : std::abs(u) - 0.5;
      loss += std::abs(tau - (u < 0 ? 1 : 0)) * huber / static_cast<double>(batch.atoms());
    }
  }
  return loss;
}

class IqnLossTest : public testing::TestWithParam<int> {
 protected:
  ValueBatch Batch(std::uint64_t seed) const { return {Sampled(GetParam()), 9, seed, true}; }
};

TEST_P(IqnLossTest, FollowsTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const ValueBatch batch = Batch(seed);
    const ValueResult result = ComputeLoss(&LossAtSomeTaus, {}, batch.view());
    const std::vector<float> taus = SomeTaus(batch.view());
    double loss = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const double one = ExpectedLoss(batch.view(), taus, i);
      loss += one / static_cast<double>(batch.size());
      EXPECT_NEAR(result.errors[i], std::sqrt(one), 1e-5 * (1 + one));
    }
    EXPECT_NEAR(result.loss, loss, 1e-5 * loss);
  }
}

TEST_P(IqnLossTest, GradientIsThatOfTheLoss) {
  ExpectGradientOfLoss(&LossAtSomeTaus, {.reduction = BatchReduction::kSum}, Batch(3));
}

TEST_P(IqnLossTest, WeightsScaleEachTransitionsShare) {
  ExpectWeightsToScale(&LossAtSomeTaus, {}, Batch(5));
}

TEST_P(IqnLossTest, ATerminalsValueDoesNotMatterEvenWhenItIsInfinite) {
  ExpectTerminalsNotToMatter(&LossAtSomeTaus, {}, Batch(6));
}

INSTANTIATE_TEST_SUITE_P(Taus, IqnLossTest, testing::Values(1, 5, 8, 21));

// One action and one transition of three taus, whose prediction is 0 at each.
ValueBatch Plain() {
  ValueBatch batch(Sampled(3, 1), 1, 1, true);
  batch.a_tm1 = {0};
  batch.r_t = {4};
  batch.discount_t = {0};
  batch.online_tm1 = {0, 0, 0};
  return batch;
}

std::vector<float> Derivative(const ValueBatch& batch, std::vector<float> taus) {
  std::vector<float> dx(3), errors(1);
  IqnLoss({}, batch.view(), taus, dx, errors);
  return dx;
}

// A prediction below its target is pulled up by its own tau, and none is divided by their number.
TEST(IqnTest, TauIsThePredictedSamplesAndTheLossIsASumOverThem) {
  ValueBatch batch = Plain();
  EXPECT_THAT(Derivative(batch, {0.25F, 0.875F, 0.5F}),
              Pointwise(FloatEq(), {-0.25F, -0.875F, -0.5F}));
  batch.r_t = {-4};
  EXPECT_THAT(Derivative(batch, {0.25F, 0.875F, 0.5F}),
              Pointwise(FloatEq(), {0.75F, 0.125F, 0.5F}));
}

TEST(IqnTest, TheLossIsAMeanOverTheTargets) {
  ValueBatch batch = Plain();
  batch.r_t = {0};
  batch.discount_t = {1};
  batch.target_t = {9, 9, -9};
  EXPECT_THAT(Derivative(batch, {0.25F, 0.875F, 0.5F}),
              Pointwise(FloatEq(), {(-0.25F - 0.25F + 0.75F) / 3, (-0.875F - 0.875F + 0.125F) / 3,
                                    (-0.5F - 0.5F + 0.5F) / 3}));
}

// Notes the taus of each call, and answers with what it was given.
class ScriptedNetwork final : public QNetwork {
 public:
  struct Call {
    std::string name;
    std::vector<float> taus;
  };
  ScriptedNetwork(std::string name, NetworkSpec spec, std::vector<Call>& calls)
      : name_(std::move(name)), spec_(std::move(spec)), calls_(calls) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }
  void SetParameters(std::span<const float>) override {}
  void UseTaus(std::span<const float> taus) override { taus_ = taus; }
  void Predict(std::span<const std::byte>, int, std::span<float> q) override { Note("Predict", q); }
  void PredictSame(QNetwork& other, std::span<const std::byte>, int, std::span<float> q) override {
    Note(&other == this ? "PredictSame of itself" : "PredictSame", q);
  }
  void Forward(std::span<const std::byte>, int, std::span<float> q) override { Note("Forward", q); }
  void Backward(std::span<const float>, std::span<float>) override {}

  std::vector<std::vector<float>> answers;  // to the calls, in their order

 private:
  void Note(const std::string& call, std::span<float> q) {
    calls_.push_back({name_ + "." + call, {taus_.begin(), taus_.end()}});
    taus_ = {};
    ASSERT_FALSE(answers.empty());
    ASSERT_EQ(answers.front().size(), q.size());
    std::copy(answers.front().begin(), answers.front().end(), q.begin());
    answers.erase(answers.begin());
  }

  std::string name_;
  NetworkSpec spec_;
  ParameterLayout layout_;
  std::span<const float> taus_;
  std::vector<Call>& calls_;
};

// Two transitions of two actions and two taus.
class IqnPassesTest : public testing::Test {
 protected:
  static constexpr int kBatch = 2;

  // What the loss makes of these answers.
  void Compute(bool double_selection) {
    AgentOptions options{.algorithm = "iqn", .double_selection = double_selection, .taus = 2};
    NetworkSpec spec{.input = {.channels = 1}, .convolutions = {}, .hidden = {}, .num_actions = 2};
    DescribeIqnNetwork(options, spec);
    ScriptedNetwork online("theta", spec, calls_);
    ScriptedNetwork target("theta-", spec, calls_);
    // Action 1 is better to what chooses, action 0 to the samples of the target.
    const std::vector<float> of_target = {8, 1, 6, 1, 8, 1, 6, 1};
    const std::vector<float> of_choosing = {0, 1, 0, 1, 0, 1, 0, 1};
    const std::vector<float> of_online = {0, 0, 0, 0, 3, 5, 4, 7};
    target.answers = {of_target};
    (double_selection ? online : target).answers.push_back(of_choosing);
    online.answers.push_back(of_online);
    TransitionBatch batch;
    batch.Resize(kBatch, spec.input.stacked_bytes());
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch.a_tm1[i] = 0;
      batch.r_t[i] = 0;
      batch.discount_t[i] = 0.5F;
    }
    const std::vector<float> weights = {1, 0};
    const auto loss = MakeIqnLoss(options, spec, kBatch);
    loss->Compute({online, &target, batch, weights, random_}, doutputs_, errors_);
    loss->Values(values_);
  }

  RandomStream random_{3};
  std::vector<ScriptedNetwork::Call> calls_;
  std::vector<float> doutputs_ = std::vector<float>(8);
  std::vector<float> errors_ = std::vector<float>(2);
  std::vector<float> values_ = std::vector<float>(2);
};

TEST_F(IqnPassesTest, EveryPassAndTransitionHasTausOfItsOwn) {
  Compute(false);
  std::vector<std::string> names;
  std::set<float> taus;
  RandomStream draws(3);
  for (const ScriptedNetwork::Call& call : calls_) {
    names.push_back(call.name);
    ASSERT_EQ(call.taus.size(), 4U);
    for (const float tau : call.taus) EXPECT_EQ(tau, static_cast<float>(draws.Uniform()));
    taus.insert(call.taus.begin(), call.taus.end());
  }
  EXPECT_THAT(names,
              ElementsAre("theta-.Predict", "theta-.PredictSame of itself", "theta.Forward"));
  EXPECT_EQ(taus.size(), 12U);
  EXPECT_EQ(random_, draws) << "nothing else is drawn";
}

TEST_F(IqnPassesTest, WithDoubleSelectionThetaChooses) {
  Compute(true);
  std::vector<std::string> names;
  for (const ScriptedNetwork::Call& call : calls_) names.push_back(call.name);
  EXPECT_THAT(names, ElementsAre("theta-.Predict", "theta.PredictSame", "theta.Forward"));
}

// The chosen action's target is 0.5 for both taus, the other's would be 4 and 3: then slopes were
// -tau.
TEST_F(IqnPassesTest, TheActionIsChosenBySamplesOfItsOwn) {
  for (const bool double_selection : {false, true}) {
    calls_.clear();
    Compute(double_selection);
    const std::vector<float>& taus = calls_.back().taus;
    // Half for the mean over the minibatch; the second transition has no weight.
    EXPECT_THAT(doutputs_, Pointwise(FloatNear(1e-6F), {-taus[0] / 4, 0.0F, -taus[1] / 4, 0.0F,
                                                        0.0F, 0.0F, 0.0F, 0.0F}));
  }
}

TEST_F(IqnPassesTest, ItsValuesAreMeansOverTheTaus) {
  Compute(false);
  EXPECT_THAT(values_, ElementsAre(0, 6));
}

}  // namespace
}  // namespace gorila
