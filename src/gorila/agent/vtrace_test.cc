#include "gorila/agent/vtrace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gorila/network/network_samples.h"

namespace gorila {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// One unroll with episode ends, terminal and by time-out, inside.
struct Unroll {
  std::vector<float> log_ratios, r_t, discount_t, values;
  std::vector<std::int32_t> a_tm1, a_t;

  explicit Unroll(std::size_t length)
      : log_ratios(length),
        r_t(length),
        discount_t(length),
        values(length + 1),
        a_tm1(length),
        a_t(length) {}

  std::size_t length() const { return a_tm1.size(); }
  // An episode ends with transition t; the row after it has no action.
  void End(std::size_t t, bool terminal) {
    a_t[t] = kNoAction;
    if (terminal) discount_t[t] = 0;
    if (t + 1 == length()) return;
    a_tm1[t + 1] = kNoAction;
    r_t[t + 1] = discount_t[t + 1] = 0;
  }
  VTraceInput Input() const { return {log_ratios, a_tm1, a_t, r_t, discount_t, values}; }
};

Unroll RandomUnroll(std::size_t length, RandomStream& random) {
  Unroll unroll(length);
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(low + (high - low) * random.Uniform());
  };
  for (std::size_t t = 0; t < length; ++t) {
    unroll.log_ratios[t] = uniform(-2, 2);
    unroll.r_t[t] = uniform(-1, 1);
    unroll.discount_t[t] = 0.9F;
    unroll.values[t] = uniform(-3, 3);
  }
  unroll.values[length] = uniform(-3, 3);
  for (std::size_t t = 0; t < length; ++t) {
    if (random.Uniform() < 0.2) unroll.End(t++, random.Uniform() < 0.5);
  }
  return unroll;
}

struct Outcome {
  std::vector<float> targets, advantages;
};
Outcome Trace(const AgentOptions& options, const Unroll& unroll) {
  Outcome outcome{std::vector<float>(unroll.length()), std::vector<float>(unroll.length())};
  VTrace(options, unroll.Input(), outcome.targets, outcome.advantages);
  return outcome;
}

// Equation 1 as it stands: a sum over the rest of the episode with the product of all c before.
double SlowTarget(const AgentOptions& options, const Unroll& u, std::size_t s) {
  double target = u.values[s];
  double factor = 1;
  for (std::size_t t = s; t < u.length(); ++t) {
    const double ratio = std::exp(static_cast<double>(u.log_ratios[t]));
    const double rho = std::min(options.rho_clip, ratio);
    const double delta = rho * (static_cast<double>(u.r_t[t]) +
                                static_cast<double>(u.discount_t[t] * u.values[t + 1]) -
                                static_cast<double>(u.values[t]));
    target += factor * delta;
    if (u.a_t[t] == kNoAction) break;
    factor *= static_cast<double>(u.discount_t[t]) * options.trace_decay *
              std::min(options.trace_clip, ratio);
  }
  return target;
}

TEST(VTraceTest, IsThePapersSumWithEpisodeEndsAndTimeOutsInside) {
  RandomStream random(11);
  for (int round = 0; round < 200; ++round) {
    const AgentOptions options{.rho_clip = 0.5 + random.Uniform() * 2,
                               .trace_clip = 0.5 + random.Uniform(),
                               .trace_decay = 0.5 + random.Uniform() / 2};
    const Unroll unroll = RandomUnroll(1 + static_cast<std::size_t>(random.Integer(0, 20)), random);
    const Outcome outcome = Trace(options, unroll);
    for (std::size_t t = 0; t < unroll.length(); ++t) {
      if (unroll.a_tm1[t] == kNoAction) {
        EXPECT_EQ(outcome.targets[t], unroll.values[t]);
        EXPECT_EQ(outcome.advantages[t], 0);
        continue;
      }
      EXPECT_NEAR(outcome.targets[t], SlowTarget(options, unroll, t), 1e-5);
      // The advantage takes the next state's target where the episode continues, else its value.
      const bool goes_on = unroll.a_t[t] != kNoAction && t + 1 < unroll.length();
      const double next =
          goes_on ? SlowTarget(options, unroll, t + 1) : static_cast<double>(unroll.values[t + 1]);
      const double rho =
          std::min(options.rho_clip, std::exp(static_cast<double>(unroll.log_ratios[t])));
      EXPECT_NEAR(outcome.advantages[t],
                  rho * (static_cast<double>(unroll.r_t[t]) +
                         static_cast<double>(unroll.discount_t[t]) * next -
                         static_cast<double>(unroll.values[t])),
                  1e-5);
    }
  }
}

TEST(VTraceTest, OnPolicyItIsTheNStepReturn) {
  RandomStream random(5);
  Unroll unroll = RandomUnroll(12, random);
  std::fill(unroll.log_ratios.begin(), unroll.log_ratios.end(), 0.0F);
  std::fill(unroll.a_tm1.begin(), unroll.a_tm1.end(), 0);
  std::fill(unroll.a_t.begin(), unroll.a_t.end(), 0);
  std::fill(unroll.discount_t.begin(), unroll.discount_t.end(), 0.9F);
  unroll.End(7, /*terminal=*/true);
  const Outcome outcome = Trace({}, unroll);
  double expected = unroll.values[12];
  for (std::size_t t = 12; t-- > 0;) {
    if (unroll.a_tm1[t] == kNoAction) continue;
    const double discount = unroll.discount_t[t];
    expected = static_cast<double>(unroll.r_t[t]) + (discount > 0 ? discount * expected : 0);
    EXPECT_NEAR(outcome.targets[t], expected, 1e-5) << t;
    EXPECT_NEAR(outcome.advantages[t], expected - static_cast<double>(unroll.values[t]), 1e-5);
  }
}

TEST(VTraceTest, RatiosOfAnySizeDoNotOverflow) {
  Unroll unroll(3);
  unroll.log_ratios = {1e30F, -1e30F, 800};
  unroll.r_t = {1, 1, 1};
  unroll.discount_t = {0.5F, 0.5F, 0.5F};
  unroll.values = {1, 2, 3, 4};
  const Outcome outcome = Trace({}, unroll);
  EXPECT_FLOAT_EQ(outcome.targets[2], 3);  // 1 + 0.5 * 4
  EXPECT_FLOAT_EQ(outcome.targets[1], 2);  // an action that pi never takes says nothing
  EXPECT_FLOAT_EQ(outcome.targets[0], 2);  // 1 + 0.5 * 2
  EXPECT_FLOAT_EQ(outcome.advantages[1], 0);
}

TEST(VTraceTest, AValueBehindATerminalDoesNotMatter) {
  Unroll unroll(2);
  unroll.r_t = {1, 0};
  unroll.discount_t = {0.9F, 0};
  unroll.values = {0, std::numeric_limits<float>::infinity(), 5};
  unroll.End(0, /*terminal=*/true);
  const Outcome outcome = Trace({}, unroll);
  EXPECT_EQ(outcome.targets[0], 1);
  EXPECT_EQ(outcome.advantages[0], 1);
}

TEST(VTraceTest, OptionsOfOtherAlgorithmsAreRefused) {
  const auto message = [](const AgentOptions& options) {
    return std::string(CheckAgentOptions(options).message());
  };
  EXPECT_THAT(message({.algorithm = "vtrace", .dueling = true}), HasSubstr("network.dueling"));
  EXPECT_THAT(message({.algorithm = "vtrace", .noise = 0.5}), HasSubstr("network.noise"));
  EXPECT_THAT(message({.algorithm = "vtrace", .double_selection = true}),
              HasSubstr("learner.double_selection"));
  EXPECT_THAT(message({.algorithm = "dqn", .unroll = 5}),
              AllOf(HasSubstr("learner.unroll"), HasSubstr("expected vtrace")));
}

constexpr int kBatch = 3;
constexpr int kActions = 4;

class VTraceLossTest : public testing::TestWithParam<BatchReduction> {
 protected:
  VTraceLossTest() {
    DescribePolicyNetwork(options_, spec_);
    const int states = StatesOfMinibatch(options_, kBatch);
    network_ = MakeQNetwork("reference", spec_, states).value();
    RandomStream random(5);
    theta_ = InitialParameters(network_->layout(), random);
    network_->SetParameters(theta_);
    batch_.Resize(kBatch, spec_.input.stacked_bytes(), options_.unroll);
    const auto bytes = RandomObservations(spec_.input, states, random);
    batch_.s_tm1.assign(bytes.begin(), bytes.end());
    for (int i = 0; i < kBatch; ++i) Fill(static_cast<std::size_t>(i), random);
  }

  void Fill(std::size_t i, RandomStream& random) {
    const auto length = static_cast<std::size_t>(options_.unroll);
    Unroll unroll = RandomUnroll(length, random);
    if (i == 0) unroll.End(1, true);
    if (i == 1) unroll.End(2, false);
    for (std::size_t t = 0; t < length; ++t) {
      const std::size_t at = i * length + t;
      const bool acted = unroll.a_tm1[t] != kNoAction;
      batch_.a_tm1[at] = acted ? random.Integer(0, kActions) : kNoAction;
      batch_.a_t[at] = unroll.a_t[t];
      batch_.r_t[at] = unroll.r_t[t];
      batch_.discount_t[at] = unroll.discount_t[t];
      batch_.log_mu[at] = acted ? -1.4F + unroll.log_ratios[t] / 4 : 0;
    }
  }

  double Compute(std::vector<float>* doutputs = nullptr, std::vector<float>* errors = nullptr) {
    const auto loss = MakeVTraceLoss(options_, spec_, kBatch);
    std::vector<float> slopes(static_cast<std::size_t>(batch_.states() * spec_.outputs()), 9);
    std::vector<float> wrong(kBatch);
    const std::vector<float> weights = {1, 0.5F, 2};
    RandomStream unused(1);
    const double value =
        loss->Compute({*network_, nullptr, batch_, weights, unused}, slopes, wrong);
    EXPECT_NEAR(loss->MeanTerms().entropy, std::log(4), 0.2);
    if (doutputs != nullptr) *doutputs = slopes;
    if (errors != nullptr) *errors = wrong;
    return value;
  }

  // What the loss is when targets and advantages are those of `theta_`, whatever the network's
  // parameters: nothing flows through them.
  double ReferenceLoss(const std::vector<float>& parameters) {
    const std::vector<double> at_theta = Outputs(theta_);
    const std::vector<double> now = Outputs(parameters);
    const auto length = static_cast<std::size_t>(options_.unroll);
    const std::vector<double> weights = {1, 0.5, 2};
    double loss = 0;
    for (std::size_t i = 0; i < kBatch; ++i) {
      Unroll unroll(length);
      for (std::size_t t = 0; t <= length; ++t) {
        const std::size_t state = i * (length + 1) + t;
        unroll.values[t] = static_cast<float>(at_theta[state * 5 + 4]);
        if (t == length) break;
        const std::size_t at = i * length + t;
        unroll.a_tm1[t] = batch_.a_tm1[at];
        unroll.a_t[t] = batch_.a_t[at];
        unroll.r_t[t] = batch_.r_t[at];
        unroll.discount_t[t] = batch_.discount_t[at];
        if (unroll.a_tm1[t] == kNoAction) continue;
        unroll.log_ratios[t] =
            static_cast<float>(LogPi(at_theta, state, batch_.a_tm1[at])) - batch_.log_mu[at];
      }
      const Outcome outcome = Trace(options_, unroll);
      for (std::size_t t = 0; t < length; ++t) {
        if (unroll.a_tm1[t] == kNoAction) continue;
        const std::size_t state = i * (length + 1) + t;
        double entropy = 0;
        for (int a = 0; a < kActions; ++a) {
          const double log_pi = LogPi(now, state, a);
          entropy -= std::exp(log_pi) * log_pi;
        }
        const double delta = static_cast<double>(outcome.targets[t]) - now[state * 5 + 4];
        loss += weights[i] *
                (-static_cast<double>(outcome.advantages[t]) * LogPi(now, state, unroll.a_tm1[t]) +
                 options_.baseline_cost * delta * delta / 2 - options_.entropy_cost * entropy);
      }
    }
    return loss;
  }

  std::vector<double> Outputs(const std::vector<float>& parameters) {
    network_->SetParameters(parameters);
    std::vector<float> outputs(static_cast<std::size_t>(batch_.states() * spec_.outputs()));
    network_->Predict(batch_.s_tm1, batch_.states(), outputs);
    network_->SetParameters(theta_);
    return {outputs.begin(), outputs.end()};
  }

  static double LogPi(const std::vector<double>& outputs, std::size_t state, int action) {
    double sum = 0;
    for (std::size_t a = 0; a < kActions; ++a) sum += std::exp(outputs[state * 5 + a]);
    return outputs[state * 5 + static_cast<std::size_t>(action)] - std::log(sum);
  }

  AgentOptions options_{.algorithm = "vtrace",
                        .reduction = GetParam(),
                        .unroll = 6,
                        .entropy_cost = 0.3,
                        .baseline_cost = 0.7};
  NetworkSpec spec_{.input = {.channels = 4, .element = ElementType::kFloat32},
                    .convolutions = {},
                    .hidden = {16},
                    .num_actions = kActions};
  std::unique_ptr<QNetwork> network_;
  std::vector<float> theta_;
  TransitionBatch batch_;
};

TEST_P(VTraceLossTest, IsTheMeanOverStepsOfPolicyValueAndEntropy) {
  EXPECT_NEAR(Compute(), ReferenceLoss(theta_) / (kBatch * options_.unroll), 1e-6);
}

// Through both heads into every parameter; targets are constants.
TEST_P(VTraceLossTest, GradientIsThatOfTheLossWithConstantTargets) {
  std::vector<float> doutputs;
  Compute(&doutputs);
  std::vector<float> gradient(theta_.size());
  network_->Backward(doutputs, gradient);
  const double scale =
      options_.reduction == BatchReduction::kSum ? 1 : 1.0 / (kBatch * options_.unroll);
  double largest = 0;
  for (std::size_t i = 0; i < theta_.size(); ++i) {
    constexpr float kStep = 1.0F / 512;
    std::vector<float> moved = theta_;
    moved[i] = theta_[i] + kStep;
    const double above = ReferenceLoss(moved);
    moved[i] = theta_[i] - kStep;
    const double slope =
        scale * (above - ReferenceLoss(moved)) / (2.0 * static_cast<double>(kStep));
    EXPECT_NEAR(gradient[i], slope, 0.02 * scale + 0.01 * std::abs(slope)) << i;
    largest = std::max(largest, std::abs(slope) / scale);
  }
  EXPECT_GT(largest, 1);
}

TEST_P(VTraceLossTest, NothingIsLearntFromTheStateAfterTheLastNorWhereNoActionWasTaken) {
  std::vector<float> doutputs;
  Compute(&doutputs);
  int without = 0;
  const auto length = static_cast<std::size_t>(options_.unroll);
  for (std::size_t i = 0; i < kBatch; ++i) {
    for (std::size_t t = 0; t <= length; ++t) {
      if (t < length && batch_.a_tm1[i * length + t] != kNoAction) continue;
      ++without;
      for (std::size_t k = 0; k < 5; ++k) {
        EXPECT_EQ(doutputs[(i * (length + 1) + t) * 5 + k], 0);
      }
    }
  }
  EXPECT_GE(without, kBatch + 2);
}

TEST_P(VTraceLossTest, ErrorsShowParametersThatAreNotFinite) {
  std::vector<float> errors;
  Compute(nullptr, &errors);
  for (const float error : errors) EXPECT_TRUE(std::isfinite(error) && error > 0);
}

INSTANTIATE_TEST_SUITE_P(Both, VTraceLossTest,
                         testing::Values(BatchReduction::kMean, BatchReduction::kSum),
                         [](const auto& info) {
                           return info.param == BatchReduction::kSum ? "Sum" : "Mean";
                         });

}  // namespace
}  // namespace gorila
