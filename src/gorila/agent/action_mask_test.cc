// Nobody takes, and nobody learns from, an action that a game lacks.
#include "gorila/agent/action_mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/agent/softmax_policy.h"
#include "gorila/agent/testing.h"

namespace gorila {
namespace {

using testing::ElementsAre;

const std::vector<ActionMask> kActionsOfGames = {{1, 1, 0, 0}, {0, 1, 0, 1}};

TEST(ActionMaskTest, DrawsEachAllowedActionAlike) {
  RandomStream random(3);
  std::array<int, 4> drawn{};
  for (int i = 0; i < 40'000; ++i) {
    ++drawn[static_cast<std::size_t>(DrawAllowed(kActionsOfGames[1], 4, random))];
  }
  EXPECT_EQ(drawn[0] + drawn[2], 0);
  EXPECT_NEAR(drawn[1], 20'000, 500);
}

TEST(ActionMaskTest, WithoutAMaskItDrawsAsBefore) {
  RandomStream a(3);
  RandomStream b(3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(DrawAllowed({}, 5, a), b.Integer(0, 5));
}

// Of the actions 0..3 with values 0, 7, 9 and 5, in game 0 and game 1.
class MaskedPolicyTest : public testing::Test {
 protected:
  template <typename PolicyType>
  ActOutput Act(PolicyType policy, double epsilon, std::size_t pairs = 1) {
    std::vector<std::byte> observations;
    std::vector<ActingEnvironment> acting;
    for (std::size_t i = 0; i < 2 * pairs; ++i) {
      for (const int value : {0, 7, 9, 5}) observations.push_back(std::byte(value));
      acting.push_back({.epsilon = epsilon, .random = &random_, .game = static_cast<int>(i % 2)});
    }
    ActOutput output;
    policy.Act({.observations = observations, .environments = acting, .show_values = true}, output);
    return output;
  }

  testing_agent::EchoNetwork network_{4, kActionsOfGames};
  RandomStream random_{7};
};

TEST_F(MaskedPolicyTest, GreedyTakesTheBestThatTheGameHas) {
  const ActOutput output = Act(EpsilonGreedyPolicy(network_), 0);
  EXPECT_THAT(output.actions, ElementsAre(1, 1));
  EXPECT_EQ(output.values[2], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(output.values[4 + 3], 5);
}

TEST_F(MaskedPolicyTest, ExploresAmongThoseThatTheGameHas) {
  for (const ActOutput& output : {Act(EpsilonGreedyPolicy(network_), 1, 500),
                                  Act(SoftmaxPolicy(network_, ActBy::kSample), 1, 500)}) {
    for (std::size_t i = 0; i < output.actions.size(); ++i) {
      EXPECT_EQ(kActionsOfGames[i % 2][static_cast<std::size_t>(output.actions[i])], 1);
    }
  }
}

TEST_F(MaskedPolicyTest, ADistributionIsOverThoseThatTheGameHas) {
  const ActOutput output = Act(SoftmaxPolicy(network_, ActBy::kSample), 0, 200);
  const double p = 1 / (1 + std::exp(-2.0));  // of 7 against 5
  for (std::size_t i = 0; i < output.actions.size(); ++i) {
    const auto action = static_cast<std::size_t>(output.actions[i]);
    ASSERT_EQ(kActionsOfGames[i % 2][action], 1);
    EXPECT_NEAR(output.log_probabilities[i], std::log(output.values[4 * i + action]), 1e-5);
    if (i % 2 == 1) {
      EXPECT_NEAR(output.values[4 * i + 1], p, 1e-6);
    }
    EXPECT_EQ(output.values[4 * i + 2], 0);
  }
}

TEST_F(MaskedPolicyTest, EpsilonIsSharedAmongThoseThatTheGameHas) {
  const ActOutput output = Act(SoftmaxPolicy(network_, ActBy::kSample), 0.5, 20);
  for (std::size_t i = 1; i < output.actions.size(); i += 2) {
    const double p = output.values[4 * i + static_cast<std::size_t>(output.actions[i])];
    EXPECT_NEAR(output.log_probabilities[i], std::log(0.5 * p + 0.25), 1e-5);
  }
}

// A loss does not depend on what the networks say of an action that the game lacks, neither at s_t
// nor in a policy, and what it says there gets no gradient.
class MaskedLossTest : public testing::TestWithParam<std::tuple<std::string, bool>> {
 protected:
  static constexpr int kActions = 4;
  static constexpr int kBatch = 6;

  MaskedLossTest() {
    options_.algorithm = std::get<std::string>(GetParam());
    options_.dueling = std::get<bool>(GetParam());
    options_.atoms = 5;
    options_.value_min = -2;
    options_.value_max = 2;
    options_.taus = 3;
    options_.unroll = 2;
    options_.policy_epsilon = 0.25;
    row_ = FindAlgorithm(options_.algorithm).value();
    spec_.num_actions = kActions;
    spec_.game_actions = kActionsOfGames;
    row_->describe(options_, spec_);
    layout_ = MakeParameterLayout(spec_);
    RandomStream random(11);
    parameters_ = InitialParameters(layout_, random);
    FillBatch(random);
  }

  void FillBatch(RandomStream& random) {
    const int unroll = row_->experience == Experience::kUnrolls ? options_.unroll : 0;
    batch_.Resize(kBatch, spec_.input.stacked_bytes(), unroll);
    for (auto* states : {&batch_.s_tm1, &batch_.s_t}) {
      for (std::byte& value : *states) value = static_cast<std::byte>(random.Integer(0, 4));
    }
    for (std::size_t i = 0; i < kBatch; ++i) batch_.games[i] = static_cast<int>(i % 2);
    const int each = std::max(unroll, 1);
    for (int i = 0; i < batch_.transitions(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch_.a_tm1[at] = batch_.a_t[at] = (i / each) % 2 == 0 ? i % 2 : 1 + 2 * (i % 2);
      batch_.r_t[at] = static_cast<float>(random.Uniform());
      batch_.discount_t[at] = 0.9F;
      if (unroll > 0) batch_.log_mu[at] = -0.7F;
    }
    batch_.a_t[1] = kNoAction;  // sarsa bootstraps with the expectation
  }

  struct Result {
    double loss = 0;
    std::vector<float> doutputs;
    std::vector<float> errors;
  };
  // With `bias` added to the action 2, which no game has, of both networks.
  Result Compute(float bias) {
    std::vector<float> parameters = parameters_;
    for (const ParameterTensor& tensor : layout_.tensors) {
      if (!tensor.name.ends_with(".bias") || tensor.name.starts_with("fc")) continue;
      if (tensor.name.starts_with("value")) continue;
      const std::size_t of_action = tensor.size / kActions;
      for (std::size_t k = 0; k < of_action; ++k) {
        parameters[tensor.offset + 2 * of_action + k] += bias * static_cast<float>(k + 1);
      }
    }
    const int states = StatesOfMinibatch(options_, kBatch);
    const auto online = MakeQNetwork("reference", spec_, states).value();
    const auto target = MakeQNetwork("reference", spec_, states).value();
    online->SetParameters(parameters);
    target->SetParameters(parameters);
    const auto loss = row_->make_loss(options_, spec_, kBatch);
    RandomStream random(5);
    const std::vector<float> weights(kBatch, 1);
    Result result;
    result.doutputs.resize(static_cast<std::size_t>(states * spec_.outputs()));
    result.errors.resize(kBatch);
    result.loss = loss->Compute({.online = *online,
                                 .target = row_->uses_target ? target.get() : nullptr,
                                 .batch = batch_,
                                 .weights = weights,
                                 .random = random},
                                result.doutputs, result.errors);
    values_.resize(kBatch);
    loss->Values(values_);
    return result;
  }

  AgentOptions options_;
  const AlgorithmRow* row_ = nullptr;
  NetworkSpec spec_{.input = {.channels = 3}, .convolutions = {}, .hidden = {8}};
  ParameterLayout layout_;
  std::vector<float> parameters_;
  TransitionBatch batch_;
  std::vector<float> values_;
};

TEST_P(MaskedLossTest, DoesNotDependOnActionsThatTheGameLacks) {
  const Result before = Compute(0);
  const std::vector<float> values = values_;
  const Result after = Compute(100);
  EXPECT_NEAR(after.loss, before.loss, 1e-6);
  EXPECT_TRUE(std::isfinite(before.loss));
  ASSERT_EQ(after.errors.size(), before.errors.size());
  for (std::size_t i = 0; i < before.errors.size(); ++i) {
    EXPECT_NEAR(after.errors[i], before.errors[i], 1e-5) << i;
    EXPECT_NEAR(values_[i], values[i], 1e-5) << i;
  }
  double largest = 0;
  for (std::size_t i = 0; i < before.doutputs.size(); ++i) {
    EXPECT_NEAR(after.doutputs[i], before.doutputs[i], 1e-6) << i;
    largest = std::max(largest, std::abs(static_cast<double>(before.doutputs[i])));
  }
  EXPECT_GT(largest, 1e-4) << "nothing was compared";
  const auto width = static_cast<std::size_t>(spec_.head_outputs());
  const int of_actions = spec_.heads.empty() ? kActions : spec_.heads.front().width;
  const auto of_action = static_cast<std::size_t>(of_actions / kActions);
  for (std::size_t i = 0; i < before.doutputs.size(); ++i) {
    if (i % width / of_action == 2) {
      EXPECT_EQ(before.doutputs[i], 0) << i;
    }
  }
}

// With and without dueling heads, which a policy cannot have.
std::vector<std::tuple<std::string, bool>> Agents() {
  std::vector<std::tuple<std::string, bool>> agents;
  for (const AlgorithmRow& row : AlgorithmTable()) {
    agents.emplace_back(row.name, false);
    if (row.experience != Experience::kUnrolls) agents.emplace_back(row.name, true);
  }
  return agents;
}

INSTANTIATE_TEST_SUITE_P(Algorithms, MaskedLossTest, testing::ValuesIn(Agents()),
                         [](const auto& test) {
                           return std::get<std::string>(test.param) +
                                  (std::get<bool>(test.param) ? "_dueling" : "");
                         });

}  // namespace
}  // namespace gorila
