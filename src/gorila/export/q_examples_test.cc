#include "gorila/export/q_examples.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gorila/agent/value_testing.h"
#include "gorila/base/json.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/export/testing.h"

namespace gorila {
namespace {

// By the definition, from a state's outputs.
double ExpectedValue(const ValueForm& form, const std::vector<float>& outputs, int action) {
  const auto atoms = static_cast<std::size_t>(form.atoms);
  std::vector<float> x(atoms);
  for (std::size_t i = 0; i < atoms; ++i) {
    x[i] = outputs[static_cast<std::size_t>(action) * atoms + i];
    if (!form.dueling) continue;
    float mean = 0;
    for (int a = 0; a < form.num_actions; ++a) {
      mean +=
          outputs[static_cast<std::size_t>(a) * atoms + i] / static_cast<float>(form.num_actions);
    }
    x[i] += outputs[form.size() + i] - mean;
  }
  return ReferenceValue(form, x);
}

class QExamplesTest : public testing::TestWithParam<testing_export::Agent> {};

TEST_P(QExamplesTest, AreTheValuesOfActionsWithoutNoise) {
  Config config = testing_config::SmallConfig();
  config.learner.agent = GetParam().options;
  NetworkSpec spec = ResolveNetwork(config).value();
  RandomStream random(4);
  const std::vector<float> parameters = InitialParameters(MakeParameterLayout(spec), random);
  const std::string text = EncodeQExamples(config, parameters).value();
  EXPECT_EQ(EncodeQExamples(config, parameters).value(), text);

  spec.noise = 0;
  const ValueForm form = FindAlgorithm(config.learner.agent.algorithm)
                             .value()
                             ->form(config.learner.agent, spec.num_actions);
  const auto network = MakeQNetwork("reference", spec, 1).value();
  network->SetParameters(std::span(parameters).first(network->layout().size));
  std::vector<float> outputs(static_cast<std::size_t>(spec.outputs()));
  const auto json = ParseJson<nlohmann::json>(text);
  ASSERT_EQ(json["q"].size(), std::size_t{kQExamples});
  double largest = 0;
  for (std::size_t example = 0; example < json["q"].size(); ++example) {
    std::vector<std::byte> observation;
    for (const int element : json["observations"][example]) {
      observation.push_back(static_cast<std::byte>(element));
    }
    network->Predict(observation, 1, outputs);
    const auto q = json["q"][example].get<std::vector<double>>();
    ASSERT_EQ(q.size(), 3U);
    for (int action = 0; action < 3; ++action) {
      const double value = q[static_cast<std::size_t>(action)];
      EXPECT_NEAR(value, ExpectedValue(form, outputs, action), 1e-5);
      largest = std::max(largest, std::abs(value));
    }
  }
  EXPECT_GT(largest, 0.01) << "nothing was compared";
}

INSTANTIATE_TEST_SUITE_P(All, QExamplesTest, testing::ValuesIn(testing_export::Agents()),
                         testing_export::NameOf);

TEST(PolicyExamplesTest, AreProbabilitiesAndTheValueOfEachState) {
  Config config = testing_config::SmallConfig();
  config.learner.agent = {.algorithm = "vtrace"};
  const NetworkSpec spec = ResolveNetwork(config).value();
  RandomStream random(4);
  const std::vector<float> parameters = InitialParameters(MakeParameterLayout(spec), random);
  const auto json = ParseJson<nlohmann::json>(EncodeQExamples(config, parameters).value());
  EXPECT_FALSE(json.contains("q"));
  ASSERT_EQ(json["policy"].size(), std::size_t{kQExamples});
  ASSERT_EQ(json["value"].size(), std::size_t{kQExamples});
  const auto network = MakeQNetwork("reference", spec, 1).value();
  network->SetParameters(parameters);
  std::vector<float> outputs(4);
  for (std::size_t example = 0; example < kQExamples; ++example) {
    std::vector<std::byte> observation;
    for (const int element : json["observations"][example]) {
      observation.push_back(static_cast<std::byte>(element));
    }
    network->Predict(observation, 1, outputs);
    const auto policy = json["policy"][example].get<std::vector<double>>();
    ASSERT_EQ(policy.size(), 3U);
    double sum = 0;
    for (std::size_t a = 0; a < 3; ++a) sum += std::exp(static_cast<double>(outputs[a]));
    for (std::size_t a = 0; a < 3; ++a) {
      EXPECT_NEAR(policy[a], std::exp(static_cast<double>(outputs[a])) / sum, 1e-5);
    }
    EXPECT_NEAR(json["value"][example].get<double>(), outputs[3], 1e-5);
  }
}

}  // namespace
}  // namespace gorila
