// What holds for every row that learns values: it acts, learns and repeats.
#include "gorila/agent/algorithm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/network/network_samples.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kBatch = 6;
constexpr int kActions = 3;

NetworkSpec Layers() {
  return {.input = {.channels = 4, .element = ElementType::kFloat32},
          .convolutions = {},
          .hidden = {16},
          .num_actions = kActions};
}

std::string Message(const AgentOptions& options) {
  return std::string(CheckAgentOptions(options).message());
}

TEST(AlgorithmTest, UnknownNameIsRefusedWithTheNearestOne) {
  const Status status = FindAlgorithm("duble_dqn").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("learner.algorithm is 'duble_dqn'"),
                                                   HasSubstr("did you mean 'double_dqn'")));
}

TEST(AlgorithmTest, CombinationsWithoutAMeaningAreRefusedWithTheReason) {
  EXPECT_THAT(Message({.algorithm = "munchausen", .double_selection = true}),
              AllOf(HasSubstr("learner.double_selection"), HasSubstr("munchausen"),
                    HasSubstr("none to choose")));
  EXPECT_THAT(Message({.algorithm = "dqn", .double_selection = true}), HasSubstr("double_dqn"));
  EXPECT_THAT(Message({.algorithm = "dqn", .atoms = 7}), HasSubstr("learner.atoms"));
  EXPECT_THAT(Message({.algorithm = "qr_dqn", .value_max = 7}), HasSubstr("learner.value_max"));
  EXPECT_THAT(Message({.algorithm = "c51", .munchausen_scale = 0.5}), HasSubstr("munchausen"));
  EXPECT_THAT(Message({.algorithm = "iqn", .atoms = 7}), HasSubstr("learner.atoms"));
  EXPECT_THAT(Message({.algorithm = "iqn", .value_rescaling = true}),
              HasSubstr("learner.value_rescaling"));
  for (const AlgorithmRow& row : AlgorithmTable()) {
    if (row.name == "iqn") continue;
    EXPECT_THAT(Message({.algorithm = std::string(row.name), .taus = 4}),
                AllOf(HasSubstr("learner.taus"), HasSubstr("expected iqn")));
  }
  EXPECT_THAT(Message({.algorithm = "c51", .value_rescaling = true}),
              HasSubstr("learner.value_rescaling"));
}

TEST(AlgorithmTest, SarsaHasNoChoiceToDoubleAndNoNoise) {
  EXPECT_THAT(Message({.algorithm = "sarsa", .double_selection = true}),
              HasSubstr("learner.double_selection"));
  EXPECT_THAT(Message({.algorithm = "expected_sarsa", .noise = 0.5}),
              HasSubstr("network.noise is 0.5"));
}

TEST(AlgorithmTest, APolicyHasNoOptionsOfValues) {
  EXPECT_EQ(Message({.algorithm = "vtrace"}), "");
  EXPECT_THAT(Message({.algorithm = "vtrace", .value_rescaling = true}),
              AllOf(HasSubstr("learner.value_rescaling"), HasSubstr("unscaled")));
  EXPECT_THAT(Message({.algorithm = "vtrace", .double_selection = true}),
              HasSubstr("learner.double_selection"));
  EXPECT_THAT(Message({.algorithm = "vtrace", .dueling = true}), HasSubstr("network.dueling"));
  EXPECT_THAT(Message({.algorithm = "vtrace", .noise = 0.5}), HasSubstr("network.noise"));
  EXPECT_THAT(Message({.algorithm = "vtrace", .atoms = 7}), HasSubstr("learner.atoms"));
}

TEST(AlgorithmTest, ImpossibleValuesAreRefusedWithKeyAndValue) {
  EXPECT_THAT(Message({.algorithm = "c51", .atoms = 1}),
              AllOf(HasSubstr("learner.atoms is 1"), HasSubstr("2 to 256")));
  EXPECT_THAT(Message({.algorithm = "c51", .value_min = 3, .value_max = 3}),
              AllOf(HasSubstr("learner.value_min is 3"), HasSubstr("learner.value_max, 3")));
  EXPECT_THAT(Message({.algorithm = "iqn", .taus = 257}),
              AllOf(HasSubstr("learner.taus is 257"), HasSubstr("1 to 256")));
}

// Algorithm, dueling, noise.
using Case = std::tuple<std::string, bool, bool>;

class EveryAlgorithmTest : public testing::TestWithParam<Case> {
 protected:
  EveryAlgorithmTest() {
    const auto& [algorithm, dueling, noise] = GetParam();
    options_.algorithm = algorithm;
    options_.dueling = dueling;
    options_.noise = noise ? 0.5 : 0;
    row_ = FindAlgorithm(algorithm).value();
    row_->describe(options_, spec_);
    online_ = MakeQNetwork("reference", spec_, kBatch).value();
    target_ = MakeQNetwork("reference", spec_, kBatch).value();
    RandomStream random(5);
    theta_ = InitialParameters(online_->layout(), random);
    online_->SetParameters(theta_);
    theta_minus_ = InitialParameters(online_->layout(), random);
    target_->SetParameters(theta_minus_);
    FillBatch(random);
  }

  void FillBatch(RandomStream& random) {
    batch_.Resize(kBatch, spec_.input.stacked_bytes());
    for (std::pmr::vector<std::byte>* states : {&batch_.s_tm1, &batch_.s_t}) {
      const auto bytes = RandomObservations(spec_.input, kBatch, random);
      states->assign(bytes.begin(), bytes.end());
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch_.a_tm1[i] = random.Integer(0, kActions);
      batch_.a_t[i] = i == 2 ? kNoAction : random.Integer(0, kActions);
      batch_.r_t[i] = static_cast<float>(random.Uniform());
      batch_.discount_t[i] = i == 1 ? 0 : 0.9F;
    }
  }

  // The gradient of theta, with noise drawn from `seed`.
  std::vector<float> Gradient(std::uint64_t seed, double* loss = nullptr) {
    const auto computed = row_->make_loss(options_, spec_, kBatch);
    std::vector<float> doutputs(static_cast<std::size_t>(kBatch * spec_.outputs()));
    std::vector<float> errors(kBatch);
    const std::vector<float> weights(kBatch, 1);
    RandomStream random(seed);
    const double value =
        computed->Compute({*online_, target_.get(), batch_, weights, random}, doutputs, errors);
    if (loss != nullptr) *loss = value;
    for (const float error : errors) EXPECT_TRUE(std::isfinite(error) && error >= 0);
    std::vector<float> gradient(theta_.size());
    online_->Backward(doutputs, gradient);
    return gradient;
  }

  // The loss's derivative with respect to a parameter, by central differences. theta chooses the
  // action of s_t where an algorithm is double; a step that changes the choice would be no
  // derivative, and none of these does.
  double Slope(std::size_t parameter, float step) {
    const float value = theta_[parameter];
    double above = 0;
    double below = 0;
    theta_[parameter] = value + step;
    online_->SetParameters(theta_);
    Gradient(3, &above);
    theta_[parameter] = value - step;
    online_->SetParameters(theta_);
    Gradient(3, &below);
    theta_[parameter] = value;
    online_->SetParameters(theta_);
    return (above - below) / (2.0 * static_cast<double>(step));
  }

  AgentOptions options_;
  const AlgorithmRow* row_ = nullptr;
  NetworkSpec spec_ = Layers();
  std::unique_ptr<QNetwork> online_;
  std::unique_ptr<QNetwork> target_;
  std::vector<float> theta_;
  std::vector<float> theta_minus_;
  TransitionBatch batch_;
};

// From outputs through heads and loss to every parameter, sigmas among them.
TEST_P(EveryAlgorithmTest, GradientIsThatOfTheLossInEveryParameter) {
  if (options_.algorithm == "munchausen") options_.munchausen_temperature = 0.5;
  const std::vector<float> gradient = Gradient(3);
  double largest = 0;
  for (std::size_t i = 0; i < theta_.size(); ++i) {
    constexpr double kTolerance = 4e-3;
    double slope = Slope(i, 1.0F / 1024);
    // A long step may cross a corner of ReLU or of a loss.
    if (std::abs(gradient[i] - slope) > kTolerance) slope = Slope(i, 1.0F / 16384);
    EXPECT_NEAR(gradient[i], slope, kTolerance) << i;
    largest = std::max(largest, std::abs(static_cast<double>(gradient[i])));
  }
  EXPECT_GT(largest, 0.01);
}

TEST_P(EveryAlgorithmTest, NoiseSampledTausAndNothingElseMakeTwoDrawsDiffer) {
  EXPECT_EQ(Gradient(3), Gradient(3));
  EXPECT_EQ(Gradient(3) != Gradient(4), spec_.is_stochastic());
}

// Those that draw noise only: what holds for the taus of a sampled head is in iqn_test.cc.
class UnsampledAlgorithmTest : public EveryAlgorithmTest {};

// What is computed at s_t must not know the noise at s_tm1, nor theta that of theta-.
TEST_P(UnsampledAlgorithmTest, EachPassDrawsItsOwnNoise) {
  RandomStream random(3);
  const auto loss = row_->make_loss(options_, spec_, kBatch);
  std::vector<float> doutputs(static_cast<std::size_t>(kBatch * spec_.outputs()));
  std::vector<float> errors(kBatch);
  const std::vector<float> weights(kBatch, 1);
  loss->Compute({*online_, target_.get(), batch_, weights, random}, doutputs, errors);
  RandomStream passes(3);
  const bool is_double = options_.algorithm == "double_dqn";
  for (int pass = 0; pass < (is_double ? 3 : 2); ++pass) target_->Redraw(passes);
  EXPECT_EQ(random, passes) << "a draw for theta- and for each pass of theta";
}

TEST_P(EveryAlgorithmTest, ActsByTheBestValueAndByTheMeansUnlessNoiseIsAskedFor) {
  const auto policy = row_->make_policy(options_, *online_, ActBy::kArgmax);
  RandomStream random(8);
  std::vector<ActingEnvironment> environments(kBatch, {.epsilon = 0, .random = &random});
  const auto act = [&](bool noisy) {
    ActOutput output;
    policy->Act({.observations = batch_.s_tm1,
                 .environments = environments,
                 .show_values = true,
                 .noisy = noisy},
                output);
    for (std::size_t i = 0; i < kBatch; ++i) {
      const float* const q = &output.values[i * kActions];
      EXPECT_EQ(output.actions[i], std::max_element(q, q + kActions) - q);
    }
    return output.values;
  };
  const std::vector<float> means = act(false);
  EXPECT_EQ(act(false), means);
  EXPECT_EQ(act(true) != means, options_.noise > 0);
}

TEST_P(UnsampledAlgorithmTest, ShowsTheBestValueOfEachState) {
  const auto loss = row_->make_loss(options_, spec_, kBatch);
  std::vector<float> doutputs(static_cast<std::size_t>(kBatch * spec_.outputs()));
  std::vector<float> errors(kBatch), values(kBatch);
  const std::vector<float> weights(kBatch, 1);
  RandomStream random(3);
  loss->Compute({*online_, target_.get(), batch_, weights, random}, doutputs, errors);
  loss->Values(values);
  const auto policy = row_->make_policy(options_, *online_, ActBy::kArgmax);
  std::vector<ActingEnvironment> environments(kBatch, {.epsilon = 0, .random = &random});
  ActOutput output;
  policy->Act({.observations = batch_.s_tm1, .environments = environments}, output);
  for (std::size_t i = 0; i < kBatch; ++i) {
    const float* const q = &output.values[i * kActions];
    EXPECT_EQ(values[i], *std::max_element(q, q + kActions));
  }
}

// A policy is tested in vtrace_test.cc and softmax_policy_test.cc.
std::vector<std::string> Names(bool sampled) {
  std::vector<std::string> names;
  for (const AlgorithmRow& row : AlgorithmTable()) {
    if (row.is_policy) continue;
    NetworkSpec spec = Layers();
    row.describe({.algorithm = std::string(row.name)}, spec);
    if (sampled || spec.taus == 0) names.emplace_back(row.name);
  }
  return names;
}

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  const auto& [algorithm, dueling, noise] = info.param;
  return algorithm + (dueling ? "Dueling" : "") + (noise ? "Noisy" : "");
}

INSTANTIATE_TEST_SUITE_P(All, EveryAlgorithmTest,
                         testing::Combine(testing::ValuesIn(Names(/*sampled=*/true)),
                                          testing::Bool(), testing::Bool()),
                         &NameOf);
INSTANTIATE_TEST_SUITE_P(All, UnsampledAlgorithmTest,
                         testing::Combine(testing::ValuesIn(Names(/*sampled=*/false)),
                                          testing::Bool(), testing::Bool()),
                         &NameOf);

}  // namespace
}  // namespace gorila
