// Every backend of the table against the reference, on every preset and on odd specs.
#include "gorila/network/q_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <thread>

#include "gorila/base/random.h"
#include "gorila/network/reference/reference_network.h"
#include "gorila/network/testing.h"
#include "gorila/network/torch/torch_module.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;

struct Case {
  std::string name;
  NetworkSpec spec;
};

// How a failed test names its parameter.
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

EnvironmentSpec Atari() {
  return {.name = "atari",
          .observation = {.height = 84, .width = 84, .scale = 1 / 255.0F, .stack = 4},
          .action_names = {"noop", "fire", "left", "right"}};
}

EnvironmentSpec Breakout() {
  return {.name = "breakout",
          .observation = {.channels = 4, .height = 10, .width = 10},
          .action_names = {"n", "l", "u", "r", "d", "f"}};
}

EnvironmentSpec CartPole() {
  return {.name = "cartpole",
          .observation = {.channels = 4, .element = ElementType::kFloat32},
          .action_names = {"left", "right"}};
}

std::vector<Case> Cases() {
  const ObservationSpec floats = {.channels = 3,
                                  .height = 9,
                                  .width = 11,
                                  .element = ElementType::kFloat32,
                                  .scale = 0.5F,
                                  .stack = 4};
  const ObservationSpec bytes = {.channels = 5, .height = 13, .width = 12, .scale = 1 / 255.0F};
  return {
      {"nature_dqn", *MakeNetworkSpec("nature_dqn", Atari())},
      {"minatar_dqn", *MakeNetworkSpec("minatar_dqn", Breakout())},
      {"mlp", *MakeNetworkSpec("mlp", CartPole())},
      {"FloatStackTwoConvolutions",
       {.input = floats,
        .convolutions = {{.filters = 7, .kernel = 3, .stride = 2},
                         {.filters = 18, .kernel = 2, .stride = 1}},
        .hidden = {33},
        .num_actions = 5}},
      // The kernel is a multiple of the stride, and the stride leaves a row and columns unread.
      {"StridedFirstLayer",
       {.input = bytes,
        .convolutions = {{.filters = 16, .kernel = 6, .stride = 3}},
        .hidden = {20},
        .num_actions = 3}},
      // Tiles of 16 and filters in sixteens, which oneDNN likes in blocks.
      {"TiledAndBlocked",
       {.input = {.height = 21, .width = 20, .scale = 1 / 255.0F, .stack = 3},
        .convolutions = {{.filters = 32, .kernel = 8, .stride = 4},
                         {.filters = 16, .kernel = 3, .stride = 1}},
        .hidden = {24},
        .num_actions = 4}},
      {"StrideBeyondKernel",
       {.input = bytes,
        .convolutions = {{.filters = 6, .kernel = 1, .stride = 2},
                         {.filters = 17, .kernel = 3, .stride = 3}},
        .hidden = {8},
        .num_actions = 2}},
      {"NoHiddenLayer",
       {.input = bytes,
        .convolutions = {{.filters = 4, .kernel = 4, .stride = 2}},
        .hidden = {},
        .num_actions = 18}},
      {"OnePosition",
       {.input = bytes,
        .convolutions = {{.filters = 3, .kernel = 12, .stride = 1}},
        .hidden = {5, 6, 7},
        .num_actions = 1}},
      {"Linear", {.input = floats, .convolutions = {}, .hidden = {}, .num_actions = 3}},
      {"BytesWithoutConvolution",
       {.input = bytes, .convolutions = {}, .hidden = {10}, .num_actions = 2}},
  };
}

std::vector<std::byte> RandomObservations(const ObservationSpec& spec, int batch,
                                          RandomStream& random) {
  std::vector<std::byte> bytes(spec.stacked_bytes() * static_cast<std::size_t>(batch));
  if (spec.element == ElementType::kUint8) {
    for (std::byte& value : bytes) value = static_cast<std::byte>(random.Integer(0, 256));
    return bytes;
  }
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(float)) {
    const auto value = static_cast<float>(2 * random.Uniform() - 1);
    std::copy_n(reinterpret_cast<const std::byte*>(&value), sizeof value, &bytes[i]);
  }
  return bytes;
}

std::vector<float> RandomFloats(std::size_t size, RandomStream& random) {
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(2 * random.Uniform() - 1);
  return values;
}

std::vector<double> Widen(std::span<const float> values) { return {values.begin(), values.end()}; }

// Inputs of one computation and its two results.
struct Sample {
  Sample(const NetworkSpec& spec, int batch_size, std::uint64_t seed)
      : batch(batch_size), layout(MakeParameterLayout(spec)) {
    RandomStream random(seed);
    parameters = InitialParameters(layout, random);
    observations = RandomObservations(spec.input, batch, random);
    dq = RandomFloats(static_cast<std::size_t>(batch * spec.num_actions), random);
    q.resize(dq.size());
    gradient.resize(layout.size);
  }

  void Compute(QNetwork& network) {
    network.SetParameters(parameters);
    network.Forward(observations, batch, q);
    network.Backward(dq, gradient);
  }

  int batch;
  ParameterLayout layout;
  std::vector<float> parameters;
  std::vector<std::byte> observations;
  std::vector<float> dq;
  std::vector<float> q;
  std::vector<float> gradient;
};

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

// Without libtorch, the tests of the backend torch say so and are skipped.
bool IsMissing(std::string_view backend) { return backend == "torch" && !TorchIsBuiltIn(); }

class QNetworkTest : public ::testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  void SetUp() override {
    if (IsMissing(backend())) GTEST_SKIP() << "built without libtorch";
  }

  const std::string& backend() const { return std::get<0>(GetParam()); }
  const NetworkSpec& spec() const { return std::get<1>(GetParam()).spec; }
  bool small() const { return spec().input.height < 84; }
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
    network->Predict(sample.observations, batch, predicted);

    const std::vector<double> parameters = Widen(sample.parameters);
    const std::vector<double> inputs =
        ReferenceInputs(spec().input, sample.observations, static_cast<std::size_t>(batch));
    const std::vector<double> q = ReferenceQValues(spec(), parameters, inputs);
    const std::vector<double> gradient =
        ReferenceGradient(spec(), parameters, inputs, Widen(sample.dq));
    ExpectClose(sample.q, q, 1e-5, "Forward");
    ExpectClose(predicted, q, 1e-5, "Predict");
    for (const ParameterTensor& tensor : sample.layout.tensors) {
      ExpectClose(std::span(sample.gradient).subspan(tensor.offset, tensor.size),
                  std::span(gradient).subspan(tensor.offset, tensor.size), 1e-4,
                  fmt::format("{} with batch {}", tensor.name, batch));
    }
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

TEST_P(QNetworkTest, PredictInBetweenLeavesTheForwardPassToBackward) {
  const std::unique_ptr<QNetwork> network = Make();
  Sample alone(spec(), max_batch(), 1);
  Sample disturbed = alone;
  alone.Compute(*network);

  network->Forward(disturbed.observations, disturbed.batch, disturbed.q);
  for (const int batch : {disturbed.batch, 1}) {
    Sample other(spec(), batch, 2);
    network->Predict(other.observations, batch, other.q);
  }
  network->Backward(disturbed.dq, disturbed.gradient);
  EXPECT_EQ(alone.gradient, disturbed.gradient);
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

std::vector<std::string> AllBackendNames() {
  std::vector<std::string> names = {"auto"};
  for (const QNetworkBackend& backend : QNetworkBackends()) names.emplace_back(backend.name);
  return names;
}

std::vector<std::string> BackendNames() {
  std::vector<std::string> names = AllBackendNames();
  names.erase(std::remove_if(names.begin(), names.end(), IsMissing), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(AllBackends, QNetworkTest,
                         ::testing::Combine(::testing::ValuesIn(AllBackendNames()),
                                            ::testing::ValuesIn(Cases())),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param).name;
                         });

TEST(QNetworkDeathTest, ArgumentsOfTheWrongSizeAbortInEveryBackend) {
  const NetworkSpec spec = *MakeNetworkSpec("mlp", CartPole());
  for (const std::string& backend : BackendNames()) {
    const std::unique_ptr<QNetwork> network = *MakeQNetwork(backend, spec, 2);
    Sample sample(spec, 2, 1);
    EXPECT_DEATH(network->Predict(sample.observations, 2, sample.q), "parameters were not set");
    EXPECT_DEATH(network->SetParameters(std::span(sample.parameters).first(5)), "5 values for");
    network->SetParameters(sample.parameters);
    EXPECT_DEATH(network->Predict(sample.observations, 3, sample.q), "batch 3 is not in 1..2");
    EXPECT_DEATH(network->Predict(sample.observations, 1, sample.q), "32 bytes for 1 obs");
    EXPECT_DEATH(network->Forward(sample.observations, 2, std::span(sample.q).first(3)),
                 "3 q-values");
    EXPECT_DEATH(network->Backward(sample.dq, sample.gradient), "Backward without Forward");
    network->Forward(sample.observations, 2, sample.q);
    EXPECT_DEATH(network->Backward(std::span(sample.dq).first(2), sample.gradient),
                 "2 derivatives");
  }
}

// Backends round differently, so equal bits tell which one computed.
TEST(MakeQNetworkTest, AutoTakesGemmForSmallNetworksAndOneDnnForLargeOnes) {
  const std::vector<std::tuple<NetworkSpec, std::string, std::string>> expectations = {
      {*MakeNetworkSpec("minatar_dqn", Breakout()), "gemm", "onednn"},
      {*MakeNetworkSpec("nature_dqn", Atari()), "onednn", "gemm"},
  };
  for (const auto& [spec, chosen, other] : expectations) {
    Sample by_auto(spec, 2, 1);
    Sample by_chosen = by_auto;
    Sample by_other = by_auto;
    by_auto.Compute(**MakeQNetwork("auto", spec, 2));
    by_chosen.Compute(**MakeQNetwork(chosen, spec, 2));
    by_other.Compute(**MakeQNetwork(other, spec, 2));
    EXPECT_EQ(by_auto.gradient, by_chosen.gradient);
    EXPECT_NE(by_auto.gradient, by_other.gradient);
  }
}

TEST(MakeQNetworkTest, RefusesBadSpecsByLayerWithEveryBackend) {
  NetworkSpec spec = *MakeNetworkSpec("minatar_dqn", Breakout());
  spec.convolutions[0].kernel = 11;
  for (const std::string& backend : BackendNames()) {
    const Status status = MakeQNetwork(backend, spec, 4).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("conv1: kernel 11x11"));
  }
}

TEST(CheckDeviceTest, OnlyTorchComputesElsewhereThanOnTheCpu) {
  for (const std::string& backend : AllBackendNames()) {
    EXPECT_EQ(CheckDevice(backend, "cpu"), OkStatus()) << backend;
    EXPECT_EQ(CheckDevice(backend, "cuda").ok(), backend == "torch") << backend;
    EXPECT_EQ(CheckDevice(backend, "cuda:12").ok(), backend == "torch") << backend;
    for (const char* device :
         {"", "gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:01", "cuda1", "cuda:100", "CPU"}) {
      const Status status = CheckDevice(backend, device);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << device;
      EXPECT_THAT(std::string(status.message()), HasSubstr(fmt::format("'{}'", device)));
    }
  }
  EXPECT_THAT(std::string(CheckDevice("gemm", "cuda").message()), HasSubstr("backend gemm"));
}

TEST(CheckBackendTest, WhatIsNotHereIsRefusedByName) {
  // More than any machine has.
  const Status status = CheckBackend("torch", "cuda:99");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(TorchIsBuiltIn() ? "network.device is cuda:99" : "built without libtorch"));
  EXPECT_EQ(CheckBackend("torch", "cpu").ok(), TorchIsBuiltIn());
  EXPECT_EQ(CheckBackend("auto", "cpu"), OkStatus());
}

TEST(MakeQNetworkTest, RefusesUnknownBackendsAndEmptyBatches) {
  const NetworkSpec spec = *MakeNetworkSpec("mlp", CartPole());
  const Status unknown = MakeQNetwork("gem", spec, 4).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("'gem'"));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean 'gemm'"));
  const Status empty = MakeQNetwork("auto", spec, 0).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(empty.message()), HasSubstr("max_batch is 0"));
}

}  // namespace
}  // namespace gorila
