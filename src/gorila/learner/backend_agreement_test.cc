// libtorch's computation against this project's own on every preset: q-values, the gradient of the
// loss, and ten updates. Differences are relative to the largest element of the same tensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "gorila/agent/dqn.h"
#include "gorila/base/random.h"
#include "gorila/network/network_samples.h"
#include "gorila/network/q_network.h"
#include "gorila/network/testing.h"
#include "gorila/network/torch/torch_module.h"
#include "gorila/parameter_server/optimizer.h"

namespace gorila {
namespace {

constexpr double kTolerance = 1e-5;
constexpr int kUpdates = 10;

EnvironmentSpec EnvironmentOf(std::string_view preset) {
  if (preset == "nature_dqn") {
    return {.name = "atari",
            .observation = {.height = 84, .width = 84, .scale = 1 / 255.0F, .stack = 4},
            .action_names = std::vector<std::string>(18)};
  }
  if (preset == "minatar_dqn") {
    return {.name = "minatar",
            .observation = {.channels = 4, .height = 10, .width = 10},
            .action_names = std::vector<std::string>(6)};
  }
  return {.name = "vector",
          .observation = {.channels = 8, .element = ElementType::kFloat32},
          .action_names = std::vector<std::string>(3)};
}

int Levels(const ObservationSpec& spec) { return spec.scale == 1 ? 2 : 256; }

// A minibatch of random transitions.
struct Minibatch {
  Minibatch(const NetworkSpec& spec, int batch_size, RandomStream& random)
      : size(batch_size),
        s_tm1(RandomObservations(spec.input, size, random, Levels(spec.input))),
        s_t(RandomObservations(spec.input, size, random, Levels(spec.input))) {
    for (int i = 0; i < size; ++i) {
      a_tm1.push_back(random.Integer(0, spec.num_actions));
      r_t.push_back(static_cast<float>(random.Uniform()));
      discount_t.push_back(random.Uniform() < 0.1 ? 0.0F : 0.99F);
    }
  }

  int size;
  std::vector<std::byte> s_tm1, s_t;
  std::vector<std::int32_t> a_tm1;
  std::vector<float> r_t, discount_t;
};

// One backend's parameters on their way through updates of double DQN.
class Descent {
 public:
  Descent(std::string_view backend, const NetworkSpec& spec, const OptimizerOptions& options,
          int batch)
      : spec_(spec),
        options_(options),
        network_(MakeQNetwork(backend, spec, batch, TestDevice(backend)).value()),
        optimizer_(MakeOptimizer(options, network_->layout().size).value()),
        q(static_cast<std::size_t>(batch * spec.num_actions)),
        gradient(network_->layout().size) {
    RandomStream random(1);
    parameters = InitialParameters(network_->layout(), random);
    target_parameters_ = InitialParameters(network_->layout(), random);
  }

  void Update(const Minibatch& batch) {
    std::vector<float> q_target_t(q.size());
    std::vector<float> q_online_t(q.size());
    std::vector<float> dq(q.size());
    std::vector<float> td_errors(batch.a_tm1.size());
    network_->SetParameters(target_parameters_);
    network_->Predict(batch.s_t, batch.size, q_target_t);
    network_->SetParameters(parameters);
    network_->Predict(batch.s_t, batch.size, q_online_t);
    network_->Forward(batch.s_tm1, batch.size, q);
    const LossBatch values{.form = {.num_actions = spec_.num_actions},
                           .online_tm1 = q,
                           .a_tm1 = batch.a_tm1,
                           .r_t = batch.r_t,
                           .discount_t = batch.discount_t,
                           .target_t = q_target_t,
                           .online_t = q_online_t};
    DqnLoss({}, values, dq, td_errors);
    network_->Backward(dq, gradient);
    ++updates_;
    optimizer_->Apply(parameters, gradient, static_cast<float>(options_.learning_rate), updates_);
  }

 private:
  NetworkSpec spec_;
  OptimizerOptions options_;
  std::unique_ptr<QNetwork> network_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<float> target_parameters_;
  std::int64_t updates_ = 0;

 public:
  std::vector<float> parameters;
  std::vector<float> q;         // of the last update, before it
  std::vector<float> gradient;  // the same
};

// max |a - b| / max |b|.
double Difference(std::span<const float> a, std::span<const float> b) {
  double scale = 0;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return worst / scale;
}

// Of the tensor that differs most.
double LargestDifference(const ParameterLayout& layout, std::span<const float> a,
                         std::span<const float> b) {
  double worst = 0;
  for (const ParameterTensor& tensor : layout.tensors) {
    const double d =
        Difference(a.subspan(tensor.offset, tensor.size), b.subspan(tensor.offset, tensor.size));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

// A learning rate with which ten updates go some way, but not so far that a network grows chaotic.
OptimizerOptions OptionsOf(std::string_view optimizer) {
  const double rate = optimizer == "sgd"                 ? 0.1
                      : optimizer == "rmsprop_uncentred" ? 0.03  // grows as its mean square falls
                                                         : 0.001;
  return {.name = std::string(optimizer), .learning_rate = rate, .epsilon = 0.01};
}

// Preset and the backend to compare with.
using Pair = std::tuple<std::string, std::string>;

class BackendAgreementTest : public ::testing::TestWithParam<Pair> {
 protected:
  // Both backends on their way through the same minibatches.
  void Compare(const NetworkSpec& spec, int batch, const OptimizerOptions& options) {
    Descent torch("torch", spec, options, batch);
    Descent own(std::get<1>(GetParam()), spec, options, batch);
    const ParameterLayout layout = MakeParameterLayout(spec);
    const std::vector<float> initial = own.parameters;
    RandomStream random(2);
    for (int i = 0; i < kUpdates; ++i) {
      const Minibatch minibatch(spec, batch, random);
      torch.Update(minibatch);
      own.Update(minibatch);
      if (i > 0) continue;
      EXPECT_LE(Difference(torch.q, own.q), kTolerance);
      EXPECT_LE(LargestDifference(layout, torch.gradient, own.gradient), kTolerance);
    }
    EXPECT_LE(LargestDifference(layout, torch.parameters, own.parameters), kTolerance);
    EXPECT_GT(Difference(own.parameters, initial), 100 * kTolerance) << "they hardly moved";
  }
};

TEST_P(BackendAgreementTest, QValuesGradientsAndTenUpdatesOfEveryOptimizer) {
  if (!TorchIsBuiltIn()) GTEST_SKIP() << "built without libtorch";
  const auto& [preset, other] = GetParam();
  const NetworkSpec spec = MakeNetworkSpec(preset, EnvironmentOf(preset)).value();
  // As large as the papers', but where that would take the reference minutes.
  const int batch = other == "reference" && preset == "nature_dqn" ? 1 : 32;
  for (const OptimizerRow& optimizer : OptimizerTable()) {
    SCOPED_TRACE(optimizer.name);
    Compare(spec, batch, OptionsOf(optimizer.name));
  }
}

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const NetworkPreset& preset : NetworkPresets()) names.emplace_back(preset.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(EveryPreset, BackendAgreementTest,
                         ::testing::Combine(::testing::ValuesIn(PresetNames()),
                                            ::testing::Values("gemm", "onednn", "reference")),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param);
                         });

}  // namespace
}  // namespace gorila
