// Every backend of the table against the reference, on every preset and on odd specs.
#include "gorila/network/q_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <tuple>

#include "gorila/base/finite.h"
#include "gorila/network/network_samples.h"
#include "gorila/network/reference/reference_network.h"
#include "gorila/network/testing.h"

namespace gorila {
namespace {

std::vector<double> Widen(std::span<const float> values) { return {values.begin(), values.end()}; }

// Observations of 0, 2 and 4, weights of -1, 0 and 1, about two in a row that are not 0, and
// derivatives of -1 and 1.
void MakeSmallIntegers(const NetworkSpec& spec, Sample& sample) {
  RandomStream random(5);
  const auto observe = [&] { return 2 * random.Integer(0, 3); };
  FillObservations(spec.input, sample.observations, observe, observe);
  for (const ParameterTensor& tensor : sample.layout.tensors) {
    const double row = static_cast<double>(tensor.size) / static_cast<double>(tensor.shape.front());
    for (float& value : std::span(sample.parameters).subspan(tensor.offset, tensor.size)) {
      const float sign = random.Uniform() < 0.3 ? -1.0F : 1.0F;
      value = random.Uniform() < 2 / row ? sign : 0.0F;
    }
  }
  for (float& value : sample.dq) value = random.Uniform() < 0.5 ? -1.0F : 1.0F;
  for (float& tau : sample.taus) tau = random.Uniform() < 0.5 ? 0.0F : 1.0F;  // cosines of 1 and -1
}

// |a - b| <= tolerance * max |b|, element by element.
void ExpectClose(std::span<const float> actual, std::span<const double> expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double scale = 0;
  for (const double value : expected) scale = std::max(scale, std::abs(value));
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    worst = std::max(worst, std::abs(actual[i] - expected[i]));
    ASSERT_FALSE(std::isnan(actual[i])) << what << " " << i;
  }
  EXPECT_GT(scale, 0) << what;
  EXPECT_LE(worst, tolerance * scale) << what;
}

double Norm(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

// |a - b| <= tolerance * |b|, Euclidean.
void ExpectCloseTogether(std::span<const float> actual, std::span<const double> expected,
                         double tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  std::vector<double> differences(expected.begin(), expected.end());
  for (std::size_t i = 0; i < actual.size(); ++i) differences[i] -= actual[i];
  EXPECT_GT(Norm(expected), 0) << what;
  EXPECT_LE(Norm(differences), tolerance * Norm(expected)) << what;
}

class QNetworkTest : public ::testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  void SetUp() override {
    if (IsMissing(backend())) GTEST_SKIP() << CheckBackend(backend(), "cpu");
  }

  const std::string& backend() const { return std::get<0>(GetParam()); }
  const NetworkSpec& spec() const { return std::get<1>(GetParam()).spec; }
  bool small() const { return spec().input.height < 84; }
  // Rounding to 8 bits opens or closes a ReLU here and there, whose derivatives are wrong then; as
  // a whole the vectors stay close. ItIsExactWhereEightBitsAreEnough is the sharper test.
  bool narrow() const { return backend() == "bfloat16"; }
  void ExpectQClose(std::span<const float> actual, std::span<const double> expected,
                    const std::string& what) const {
    if (narrow()) return ExpectCloseTogether(actual, expected, 0.02, what);
    ExpectClose(actual, expected, 1e-5, what);
  }
  void ExpectGradientClose(std::span<const float> actual, std::span<const double> expected,
                           const std::string& what) const {
    if (narrow()) return ExpectCloseTogether(actual, expected, 0.2, what);
    ExpectClose(actual, expected, 1e-4, what);
  }
  // Full batches only where the reference is quick.
  int max_batch() const { return small() ? 32 : 2; }
  std::vector<int> batches() const {
    return small() ? std::vector<int>{1, 3, 32} : std::vector<int>{2, 1};
  }

  std::unique_ptr<QNetwork> Make() const {
    auto network = MakeQNetwork(backend(), spec(), max_batch(), TestDevice(backend()));
    EXPECT_TRUE(network.ok()) << network.status();
    return *std::move(network);
  }
};

TEST_P(QNetworkTest, QValuesAndGradientAgreeWithTheReference) {
  const std::unique_ptr<QNetwork> network = Make();
  for (const int batch : batches()) {
    Sample sample(spec(), batch, 100 + static_cast<std::uint64_t>(batch));
    sample.Compute(*network);
    std::vector<float> predicted(sample.q.size());
    network->UseTaus(sample.taus);
    network->Predict(sample.observations, batch, predicted);

    const std::vector<double> parameters = Widen(sample.parameters);
    const std::vector<double> inputs =
        ReferenceInputs(spec().input, sample.observations, static_cast<std::size_t>(batch));
    const std::vector<double> taus = Widen(sample.taus);
    const std::vector<double> q = ReferenceQValues(spec(), parameters, inputs, taus);
    const std::vector<double> gradient =
        ReferenceGradient(spec(), parameters, inputs, Widen(sample.dq), taus);
    ExpectQClose(sample.q, q, "Forward");
    ExpectQClose(predicted, q, "Predict");
    for (const ParameterTensor& tensor : sample.layout.tensors) {
      ExpectGradientClose(std::span(sample.gradient).subspan(tensor.offset, tensor.size),
                          std::span(gradient).subspan(tensor.offset, tensor.size),
                          fmt::format("{} with batch {}", tensor.name, batch));
    }
  }
}

// Integers that 8 bits hold, everywhere: few weights differ from 0. Then rounding changes nothing.
TEST_P(QNetworkTest, ItIsExactWhereEightBitsAreEnough) {
  NetworkSpec exact = spec();
  exact.input.scale = 0.5F;
  auto made = MakeQNetwork(backend(), exact, max_batch(), TestDevice(backend()));
  ASSERT_TRUE(made.ok()) << made.status();
  for (const int batch : batches()) {
    Sample sample(exact, batch, 200 + static_cast<std::uint64_t>(batch));
    MakeSmallIntegers(exact, sample);
    sample.Compute(**made);
    const std::vector<double> parameters = Widen(sample.parameters);
    const std::vector<double> inputs =
        ReferenceInputs(exact.input, sample.observations, static_cast<std::size_t>(batch));
    const std::vector<double> taus = Widen(sample.taus);
    EXPECT_EQ(Widen(sample.q), ReferenceQValues(exact, parameters, inputs, taus));
    EXPECT_EQ(Widen(sample.gradient),
              ReferenceGradient(exact, parameters, inputs, Widen(sample.dq), taus));
    EXPECT_GT(Norm(Widen(sample.gradient)), 0);
  }
}

TEST_P(QNetworkTest, SameInputsGiveTheSameBits) {
  const std::unique_ptr<QNetwork> network = Make();
  Sample first(spec(), max_batch(), 1);
  Sample again = first;
  Sample elsewhere = first;
  Sample different(spec(), 1, 2);
  first.Compute(*network);
  different.Compute(*network);
  again.Compute(*network);
  elsewhere.Compute(*Make());
  EXPECT_EQ(first.q, again.q);
  EXPECT_EQ(first.gradient, again.gradient);
  EXPECT_EQ(first.q, elsewhere.q);
  EXPECT_EQ(first.gradient, elsewhere.gradient);
}

// A derivative that is not a number reaches the gradient of every layer on its way.
TEST_P(QNetworkTest, WhatItSaysOfItsGradientIsSo) {
  const std::unique_ptr<QNetwork> network = Make();
  for (const float bad : {0.0F, std::numeric_limits<float>::quiet_NaN(), 0x1p100F}) {
    Sample sample(spec(), max_batch(), 1);
    if (bad != 0) sample.dq.back() = bad;
    sample.Compute(*network);
    EXPECT_EQ(SquaresAreFinite(sample.gradient), bad == 0) << bad;
    EXPECT_EQ(network->GradientIsFinite().value_or(bad == 0), bad == 0) << bad;
  }
}

TEST_P(QNetworkTest, PredictInBetweenLeavesTheForwardPassToBackward) {
  const std::unique_ptr<QNetwork> network = Make();
  Sample alone(spec(), max_batch(), 1);
  Sample disturbed = alone;
  alone.Compute(*network);

  network->UseTaus(disturbed.taus);
  network->Forward(disturbed.observations, disturbed.batch, disturbed.q);
  for (const int batch : {disturbed.batch, 1}) {
    Sample other(spec(), batch, 2);
    network->Predict(other.observations, batch, other.q);
  }
  network->Backward(disturbed.dq, disturbed.gradient);
  EXPECT_EQ(alone.gradient, disturbed.gradient);
}

TEST_P(QNetworkTest, PredictSameGivesTheBitsOfPredict) {
  const std::unique_ptr<QNetwork> target = Make();
  const std::unique_ptr<QNetwork> online = Make();
  const Sample theirs(spec(), max_batch(), 1);
  target->SetParameters(theirs.parameters);
  for (const std::uint64_t seed : {2, 3}) {
    Sample sample(spec(), max_batch(), seed);
    std::vector<float> q(sample.q.size());
    std::vector<float> expected(sample.q.size());
    online->SetParameters(sample.parameters);
    online->Predict(sample.observations, sample.batch, expected);
    const Sample between(spec(), max_batch(), seed + 10);
    online->Predict(between.observations, between.batch, q);  // what it holds is overwritten
    target->Predict(sample.observations, sample.batch, q);
    online->PredictSame(*target, sample.observations, sample.batch, q);
    EXPECT_EQ(q, expected);
    // Each still has inputs of its own.
    online->Predict(between.observations, between.batch, q);
    target->PredictSame(*online, between.observations, between.batch, q);
    target->Predict(sample.observations, sample.batch, q);
    online->Predict(sample.observations, sample.batch, q);
    EXPECT_EQ(q, expected);
  }
}

// Further taus of a sampled head, of which the features are computed once; and of a network without
// one at least the same.
TEST_P(QNetworkTest, PredictSameOfItselfGivesTheBitsOfPredict) {
  const std::unique_ptr<QNetwork> network = Make();
  Sample sample(spec(), max_batch(), 1);
  network->SetParameters(sample.parameters);
  network->UseTaus(sample.taus);
  network->Predict(sample.observations, sample.batch, sample.q);
  std::vector<float> q(sample.q.size());
  network->Predict(sample.observations, sample.batch, q);  // at the midpoints
  network->UseTaus(sample.taus);
  network->PredictSame(*network, sample.observations, sample.batch, q);
  EXPECT_EQ(q, sample.q);
}

class SampledNetworkTest : public QNetworkTest {};

TEST_P(SampledNetworkTest, TausAreOfOneComputationAndOthersTakeTheMidpoints) {
  const std::unique_ptr<QNetwork> network = Make();
  Sample sample(spec(), 2, 1);
  network->SetParameters(sample.parameters);
  network->Predict(sample.observations, 2, sample.q);
  std::vector<float> q(sample.q.size());
  network->UseTaus(sample.taus);
  network->Predict(sample.observations, 2, q);
  EXPECT_NE(q, sample.q);
  network->Predict(sample.observations, 2, q);
  EXPECT_EQ(q, sample.q);
  for (std::size_t i = 0; i < sample.taus.size(); ++i) {
    const double k = static_cast<double>(i % static_cast<std::size_t>(spec().taus));
    sample.taus[i] = static_cast<float>((k + 0.5) / spec().taus);
  }
  network->UseTaus(sample.taus);
  network->Predict(sample.observations, 2, q);
  ExpectQClose(q, Widen(sample.q), "at the midpoints");
}

TEST_P(QNetworkTest, NewParametersTakeEffectInPlaceAndElsewhere) {
  const std::unique_ptr<QNetwork> network = Make();
  Sample before(spec(), 2, 1);
  Sample after = before;
  RandomStream random(3);
  after.parameters = InitialParameters(after.layout, random);
  Sample expected = after;
  expected.Compute(*Make());

  before.Compute(*network);
  after.Compute(*network);
  EXPECT_NE(before.q, after.q);
  EXPECT_EQ(after.q, expected.q);
  EXPECT_EQ(after.gradient, expected.gradient);

  before.parameters = after.parameters;  // the same memory as in the first computation
  before.Compute(*network);
  EXPECT_EQ(before.q, expected.q);
  EXPECT_EQ(before.gradient, expected.gradient);
}

TEST_P(QNetworkTest, ReadsAndWritesAtAnyAddress) {
  const std::unique_ptr<QNetwork> network = Make();
  Sample sample(spec(), 2, 1);
  sample.Compute(*network);

  // One float, and for the observations one byte, off whatever boundary vectors start on.
  std::vector<float> parameters(1);
  parameters.insert(parameters.end(), sample.parameters.begin(), sample.parameters.end());
  std::vector<std::byte> observations(1);
  observations.insert(observations.end(), sample.observations.begin(), sample.observations.end());
  std::vector<float> q(sample.q.size() + 1);
  std::vector<float> gradient(sample.gradient.size() + 1);
  network->SetParameters(std::span(parameters).subspan(1));
  network->UseTaus(sample.taus);
  network->Forward(std::span(observations).subspan(1), sample.batch, std::span(q).subspan(1));
  network->Backward(sample.dq, std::span(gradient).subspan(1));
  EXPECT_TRUE(std::equal(sample.q.begin(), sample.q.end(), q.begin() + 1));
  EXPECT_TRUE(std::equal(sample.gradient.begin(), sample.gradient.end(), gradient.begin() + 1));
}

TEST_P(QNetworkTest, ItsHostMemoryGivesTheSameBitsAndMayBeReused) {
  const std::unique_ptr<QNetwork> network = Make();
  std::pmr::memory_resource* const memory = network->host_memory();
  std::pmr::vector<float> parameters(network->layout().size, memory);
  std::pmr::vector<float> gradient(parameters.size(), memory);
  std::pmr::vector<std::byte> observations(memory);
  for (const std::uint64_t seed : {1, 2, 3}) {
    Sample sample(spec(), 2, seed);
    sample.Compute(*Make());
    std::vector<float> q(sample.q.size());
    // Given before the values are there, so that a copy under way would be noticed.
    network->SetParameters(parameters);
    std::copy(sample.parameters.begin(), sample.parameters.end(), parameters.begin());
    network->SetParameters(parameters);
    observations.assign(sample.observations.begin(), sample.observations.end());
    network->UseTaus(sample.taus);
    network->Forward(observations, sample.batch, q);
    network->Backward(sample.dq, gradient);
    EXPECT_EQ(q, sample.q);
    EXPECT_TRUE(std::equal(gradient.begin(), gradient.end(), sample.gradient.begin()));
  }
}

TEST_P(QNetworkTest, TwoThreadsWithTheirOwnNetworksDoNotDisturbEachOther) {
  std::vector<Sample> alone = {Sample(spec(), max_batch(), 1), Sample(spec(), max_batch(), 2)};
  std::vector<Sample> together = alone;
  std::vector<std::unique_ptr<QNetwork>> networks;
  for (Sample& sample : alone) {
    // Made here, used in another thread.
    networks.push_back(Make());
    sample.Compute(*Make());
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < together.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 3; ++repeat) together[i].Compute(*networks[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < together.size(); ++i) {
    EXPECT_EQ(alone[i].q, together[i].q);
    EXPECT_EQ(alone[i].gradient, together[i].gradient);
  }
}

std::vector<Case> SampledCases() {
  std::vector<Case> cases = Cases();
  std::erase_if(cases, [](const Case& c) { return c.spec.taus == 0; });
  return cases;
}

std::string NameOf(const testing::TestParamInfo<std::tuple<std::string, Case>>& info) {
  return std::get<0>(info.param) + "_" + std::get<1>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(AllBackends, QNetworkTest,
                         ::testing::Combine(::testing::ValuesIn(AllBackendNames()),
                                            ::testing::ValuesIn(Cases())),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(AllBackends, SampledNetworkTest,
                         ::testing::Combine(::testing::ValuesIn(AllBackendNames()),
                                            ::testing::ValuesIn(SampledCases())),
                         NameOf);

}  // namespace
}  // namespace gorila
