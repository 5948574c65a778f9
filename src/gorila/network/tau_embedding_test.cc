#include "gorila/network/tau_embedding.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>

#include "gorila/network/gemm/sgemm_dense.h"
#include "gorila/network/layered_network.h"
#include "gorila/network/network_samples.h"

namespace gorila {
namespace {

TEST(TauEmbeddingTest, CosinesAreThoseOfTheDefinition) {
  std::array<float, kCosines> cosines;
  for (const double tau : {0.0, 1e-4, 0.0625, 1.0 / 3, 0.5, 0.7312, 0.99999, 1.0}) {
    WriteCosines(tau, cosines.data());
    for (std::size_t k = 1; k <= kCosines; ++k) {
      const double expected = std::cos(std::numbers::pi * static_cast<double>(k) * tau);
      EXPECT_NEAR(cosines[k - 1], expected, 1e-7) << k << " " << tau;
    }
  }
}

// Counts what it is asked for; its features are ones.
class CountingConvolutions final : public ConvolutionStack {
 public:
  struct Counts {
    int forwards = 0;
    int backwards = 0;
  };
  CountingConvolutions(std::size_t width, Counts& counts) : width_(width), counts_(counts) {}

  void SetParameters(std::span<const float>) override {}
  void Forward(std::span<const std::byte>, std::size_t batch, Pass, float* features) override {
    ++counts_.forwards;
    std::fill_n(features, batch * width_, 1.0F);
  }
  void ForwardSame(ConvolutionStack&, std::span<const std::byte> observations, std::size_t batch,
                   float* features) override {
    Forward(observations, batch, Pass::kPredict, features);
  }
  void Backward(const float*, float*, std::span<float>) override { ++counts_.backwards; }

 private:
  std::size_t width_;
  Counts& counts_;
};

TEST(TauEmbeddingTest, TheTorsoRunsOnceForAllTausOfAnObservation) {
  constexpr int kBatch = 3;
  const NetworkSpec spec = {.input = {.channels = 2, .height = 6, .width = 5},
                            .convolutions = {{.filters = 4, .kernel = 3, .stride = 1}},
                            .hidden = {7},
                            .num_actions = 3,
                            .taus = 8};
  const NetworkShape shape = MakeNetworkShape(spec);
  CountingConvolutions::Counts counts;
  const auto network = MakeLayeredNetwork(
      spec, kBatch, std::make_unique<CountingConvolutions>(shape.features(), counts),
      MakeSgemmDense(shape, kBatch * shape.rows));
  Sample sample(spec, kBatch, 1);
  sample.Compute(*network);
  EXPECT_EQ(counts.forwards, 1);
  EXPECT_EQ(counts.backwards, 1);
  network->Predict(sample.observations, kBatch, sample.q);
  network->UseTaus(sample.taus);
  network->PredictSame(*network, sample.observations, kBatch, sample.q);
  EXPECT_EQ(counts.forwards, 2) << "further taus of the same observations";
}

}  // namespace
}  // namespace gorila
